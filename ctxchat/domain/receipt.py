"""What one turn cost: counts that are exact, durations that were measured.

Tokens, bytes and seconds. None means not known; it is never written as zero.
"""

from dataclasses import dataclass

from ctxchat.domain.conversation import Finish
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.speculation import Speculated


@dataclass(frozen=True, slots=True)
class KvCost:
    """The KV cache over a turn.

    `reused` prompt tokens were found in cells (`restored` of them read from disk) and `evaluated`
    were computed, over `beside` cells of other conversations too. `cells` are held by the conversation,
    `capacity` are allocated. `miss` is a sentence on where reuse ended and why, None where all that was said
    before was reused. Of cells that a server holds, `reused` is what it is expected to have cached, then
    what it said, and what only it knows is None.
    """

    cells: int
    capacity: int | None
    reused: int
    evaluated: int
    bytes_per_token: int | None
    type_k: str | None
    type_v: str | None
    restored: int = 0
    miss: str | None = None
    beside: int = 0

    @property
    def bytes(self) -> int | None:
        return self.size(self.cells)

    def size(self, cells: int) -> int | None:
        """Bytes of so many cells, None where a server holds them."""
        return None if self.bytes_per_token is None else cells * self.bytes_per_token


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Bytes of a device, or of the host: what a model takes of it, and what is free, None where that is not
    known."""

    name: str
    free: int | None
    used: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes the model holds: weights as mapped, KV and compute buffers as allocated, and the
    resident size of the process. `devices` are those with layers on them: what of all that lies there,
    and what is free beside it."""

    weights: int
    kv: int
    compute: int | None
    resident: int | None
    devices: tuple[DeviceMemory, ...] = ()


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds. `first_token` counts from the start of prefill, `total` from the start of the
    process; `prefill_rate` and `decode_rate` are tokens a second, None over nothing."""

    load: float | None = None
    retrieval: float | None = None
    compaction: float | None = None
    prefill: float | None = None
    first_token: float | None = None
    decode: float | None = None
    total: float | None = None
    prefill_rate: float | None = None
    decode_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Predicted:
    """Seconds foretold before prefill, None until a cost curve is known, and what reading the prompt costs
    in money, None where no prices are set."""

    prefill: float | None = None
    decode_per_token: float | None = None
    cost: "Money | None" = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a turn ended in an error, and the exit code that says so."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class FilterStep:
    """What a rule made of attached text, in tokens; `exact` is False where they were estimated."""

    rule: str
    before: int
    after: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Citation:
    """A recalled passage in a prompt, under its `label`, and whether the answer cites it; `overlaps`
    says whether the answer shares words with it, None where it is not cited. A label that the answer
    made up has no `id`."""

    label: str
    id: str | None = None
    collection: str | None = None
    source: str | None = None
    score: float | None = None
    tokens: int = 0
    cited: bool = False
    overlaps: bool | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """What a server asks for a turn, by the prices of the settings."""

    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A turn as it ended. Parts that were never reached are None. `cost` is that of all it asked a server,
    None where that did not say what it took, and `spent` what this process has spent by then. `counted` are
    the tokens of the prompt as its server counted them."""

    answer: str
    finish: Finish | None
    reasoning: str | None = None
    error: Failure | None = None
    model_name: str | None = None
    model_path: str | None = None
    session: str | None = None
    prompt: Prompt | None = None
    attention_pairs: int | None = None
    kv: KvCost | None = None
    memory: Memory | None = None
    latency: Latency = Latency()
    predicted: Predicted = Predicted()
    cost: Money | None = None
    answer_tokens: int | None = None
    filters: tuple[FilterStep, ...] = ()
    notes: tuple[Citation, ...] = ()
    speculation: Speculated | None = None
    spent: Money | None = None
    counted: int | None = None
