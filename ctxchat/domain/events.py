"""What happens in a turn, in order, as values.

    ModelLoading*  Filtered?  (Compacting Compacted)*  NotesFound?  PromptBuilt  CostPredicted  Restored?
    Prefilled*  (ReasoningGenerated | TextGenerated)*  TurnFinished  Settling*  Saving?
    Calibrating?

`Warned` may stand anywhere, and `TurnFinished` ends every turn, whatever became of it; what comes
behind it is upkeep. An engine yields the middle of this line and closes its part with `Generated`.
"""

from dataclasses import dataclass

from ctxchat.domain.conversation import Finish
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Citation, FilterStep, KvCost, Predicted, Receipt
from ctxchat.domain.speculation import Speculated
from ctxchat.domain.summary import SummaryOrigin


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """Bytes of the model file read so far, and in all."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Compacting:
    """The oldest turns are being folded into a summary block: `turns` of them, of `before` tokens."""

    turns: int
    before: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was folded: `turns` of `before` tokens into a block of `after`. `origin` says who wrote
    it, and `evaluated` counts the tokens the model read for it."""

    turns: int
    before: int
    after: int
    origin: SummaryOrigin
    evaluated: int


@dataclass(frozen=True, slots=True)
class Filtered:
    """What the rules made of attached text that did not fit: `texts` as they will be sent."""

    steps: tuple[FilterStep, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotesFound:
    """What was recalled for the question, in the order it stands in the prompt."""

    notes: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class PromptBuilt:
    """The prompt as it will be sent, if it fits."""

    prompt: Prompt


@dataclass(frozen=True, slots=True)
class CostPredicted:
    """What the prompt will cost, fixed before prefill; `kv.cells` are those of the prompt. `curve` is
    what it was foretold by, None until one is known. Of the tokens to evaluate `ahead` were read while the
    prompt was not whole yet."""

    kv: KvCost
    predicted: Predicted
    curve: CostCurve | None = None
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Restored:
    """Of the tokens that are reused, so many came back from disk."""

    restored: int


@dataclass(frozen=True, slots=True)
class Prefilled:
    """Prompt tokens evaluated so far, and to evaluate in all. The first of a turn has done = 0."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ReasoningGenerated:
    """A piece of what the model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class TextGenerated:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a server says a request took: tokens of the prompt, those of them that it had `cached`, and
    tokens of the answer, the end of the turn counted or not as it likes; None where it does not say."""

    prompt: int | None = None
    cached: int | None = None
    answer: int | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """The end of an engine's part: what was decoded, as ids.

    `reasoning_ids` come first, with their tags; `text_ids` leave the end-of-turn token out. Their
    texts, joined, are `reasoning` and `text`. `aligned` is False where a token holds the end of
    one and the beginning of the other. `satisfied` is False where the text is not what the
    constraint asks for. `usage` is what a server says, None where none was asked, and `speculation` is
    None where nothing was to be drafted.
    """

    finish: Finish
    text: str
    text_ids: tuple[int, ...]
    reasoning: str = ""
    reasoning_ids: tuple[int, ...] = ()
    aligned: bool = True
    satisfied: bool = True
    usage: Usage | None = None
    speculation: Speculated | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the person should know that ends nothing."""

    message: str


@dataclass(frozen=True, slots=True)
class Settling:
    """The answer is out, and the history is being read as the next turn will see it: tokens evaluated so
    far, and to evaluate in all."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Saving:
    """The answer is out, and the cells of the conversation are being kept on disk."""


@dataclass(frozen=True, slots=True)
class Calibrating:
    """Nobody waits, and it is being measured what work costs here, for so many `seconds` at the most."""

    seconds: float


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The end of a turn."""

    receipt: Receipt


EngineEvent = Prefilled | ReasoningGenerated | TextGenerated | Warned | Generated
TurnEvent = (
    ModelLoading
    | Filtered
    | NotesFound
    | Compacting
    | Compacted
    | PromptBuilt
    | CostPredicted
    | Restored
    | Prefilled
    | ReasoningGenerated
    | TextGenerated
    | Warned
    | Settling
    | Saving
    | Calibrating
    | TurnFinished
)
