"""What is known of a model, of its chat template, and of one generation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ctxchat.domain.constraint import Constraint
from ctxchat.domain.sampling import Sampling

if TYPE_CHECKING:
    from ctxchat.domain.prompt import PromptMessage
    from ctxchat.domain.receipt import DeviceMemory


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model in numbers. `window` is the trained one, or what its server gives, in tokens; `weights` in
    bytes.

    `path` is its file, or the URL of the server that runs it, of which layers and weights are None.
    `trims` says that the tail of its KV cache can be removed, so that a prefix can be reused. `room` is the
    window that memory has room for, where that is less than it would be.
    """

    name: str
    path: str
    architecture: str
    window: int
    layers: int | None
    weights: int | None
    trims: bool = True
    room: int | None = None


class SystemPlacement(StrEnum):
    """Where the system text goes, chosen by what the template does with a system message."""

    OWN_ROLE = "a message of its own"
    FIRST_QUESTION = "before the first question"


@dataclass(frozen=True, slots=True)
class ReasoningTags:
    """The texts a model puts around its reasoning.

    `between` is all that its template writes between reasoning and answer, empty where that is not
    known. `direct` is what an answer without reasoning begins with, where that is no part of its text.
    """

    opening: str
    closing: str
    between: str = ""
    direct: str = ""

    @property
    def ending(self) -> str:
        """What ends reasoning in the model's place."""
        in_lines = self.closing.startswith("</")
        return self.between or (f"\n{self.closing}\n\n" if in_lines else self.closing)


@dataclass(frozen=True, slots=True)
class TemplateBehaviour:
    """What a chat template does to earlier turns, found by probing it when it is loaded.

    extends: the history of the next turn begins with this turn's prompt and answer
    strips_reasoning: reasoning of earlier turns is removed from the history
    trims: white space around a message is removed
    moves_system: the system message is not where it was put (glued to a later question)
    takes_system: a system message is accepted at all
    dated: the rendered text holds today's date
    switches_thinking: `enable_thinking` changes the prompt
    """

    extends: bool
    strips_reasoning: bool
    trims: bool
    moves_system: bool
    takes_system: bool
    dated: bool
    switches_thinking: bool
    reasoning: ReasoningTags | None = None

    @property
    def system(self) -> SystemPlacement:
        if self.takes_system and not self.moves_system:
            return SystemPlacement.OWN_ROLE
        return SystemPlacement.FIRST_QUESTION


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What a template puts around messages: `literals[0]`, message, `literals[1]`, message, …

    One literal more than there are messages, the last being the generation prompt's end.
    `opens_reasoning` says that it ends inside a reasoning block.
    """

    literals: tuple[str, ...]
    opens_reasoning: bool = False


@dataclass(frozen=True, slots=True)
class Generation:
    """One request to a model: prompt ids, how to sample, how many tokens at the most.

    `reasoning` are the tags to look for, None where the model does not reason; `in_reasoning`
    says that the prompt has opened them. `reasoning_budget` is how many tokens may come between them
    before the closing one is written for the model, None for any number. With `aside` the chat's cells
    are shared as far as the prompt begins with them, and are the same after it as before. A `constraint`
    holds for the text behind the reasoning. `messages` are the prompt for a server that takes no ids.
    """

    ids: Sequence[int]
    sampling: Sampling
    limit: int
    reasoning: ReasoningTags | None = None
    in_reasoning: bool = False
    aside: bool = False
    constraint: Constraint | None = None
    reasoning_budget: int | None = None
    messages: "tuple[PromptMessage, ...]" = ()


@dataclass(frozen=True, slots=True)
class CachePlan:
    """How a prompt meets the KV cache: tokens found in cells, tokens to evaluate, cells allocated
    for it. It agrees with the first `agreed` of the `held` cells of the chat, which is more than is
    reused where they cannot be cut back, and where they are `moved`: in so large a context this model
    encodes every place otherwise. `beside` are cells of other conversations that every token is computed
    over without seeing them."""

    reused: int
    evaluated: int
    capacity: int
    agreed: int
    held: int
    moved: bool = False
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Restoration:
    """Cells that came back from disk: those of the prompt's tokens from `begin` to `end`. `refused`
    says of each snapshot that could not be used why."""

    begin: int = 0
    end: int = 0
    refused: tuple[str, ...] = ()

    def of(self, reused: int) -> int:
        """How many of the `reused` first tokens of the prompt these are."""
        return max(0, min(self.end, reused) - self.begin)

    def then(self, later: "Restoration") -> "Restoration":
        """This one and a later one together."""
        refused = (*self.refused, *later.refused)
        if not (self.end and later.end):
            return replace(self if self.end else later, refused=refused)
        return Restoration(min(self.begin, later.begin), max(self.end, later.end), refused)

    @property
    def miss(self) -> str | None:
        """What to tell of snapshots that could not be used, None where all could."""
        if not self.refused:
            return None
        more = f", and {len(self.refused) - 1:,} more" if len(self.refused) > 1 else ""
        return f"snapshot refused: {self.refused[0]}{more}; what it held is read again"


SERVER = "server"
"""The source of a model that a server runs."""


@dataclass(frozen=True, slots=True)
class ModelFit:
    """How a model is run in the memory there is: layers on GPUs, the output head counting as one, the window
    in tokens, what is taken on each device and, last, on the host, and why. `notice` tells of a GPU that
    cannot be used."""

    n_gpu_layers: int
    window: int
    type_k: str
    type_v: str
    devices: "tuple[DeviceMemory, ...]"
    reason: str
    notice: str | None


@dataclass(frozen=True, slots=True)
class UnusedGpu:
    """A GPU of this machine that llama.cpp's build cannot use, as seen, and the command that mends it."""

    seen: str
    mend: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A GGUF file as a list shows it, or a server, of which `name`, `path` (its URL) and `source` are known.
    Only `error` is set where the header cannot be read.

    `parameters` are counted from the tensors, `window` is the trained one in tokens, and
    `kv_bytes_per_token` is for f16 keys and values. `source` says where it was found, `template` the
    kind of chat template it brings, None where it brings none, or what it is where it does not chat.
    `reuse` says how far its cache allows what was read to be used again.
    """

    name: str
    path: str
    source: str
    bytes: int | None
    architecture: str | None = None
    parameters: int | None = None
    quantization: str | None = None
    window: int | None = None
    kv_bytes_per_token: int | None = None
    error: str | None = None
    template: str | None = None
    reuse: str | None = None

    @property
    def reference(self) -> str:
        """What names it and no other: the path of a file, the name of a server."""
        return self.name if self.source == SERVER else self.path
