"""How long a model may reason before it answers, and what is said of it."""

from collections.abc import Iterator

from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Warned
from ctxchat.domain.model import TemplateBehaviour
from ctxchat.service.request import AskRequest
from ctxchat.service.turn import Turn


def warnings_of(request: AskRequest, behaviour: TemplateBehaviour) -> Iterator[Warned]:
    """What of the wishes about reasoning this model cannot heed."""
    if request.think is not None and not behaviour.switches_thinking:
        way_out = "; --think-budget 0 ends its reasoning at once" if behaviour.reasoning else ""
        yield Warned(
            f"--think and --no-think do nothing here: this model's chat template has no such switch{way_out}"
        )
    if request.think_budget is not None and behaviour.reasoning is None:
        yield Warned("--think-budget does nothing here: by its chat template this model does not reason")


def budget_left(request: AskRequest, turn: Turn) -> int | None:
    """Tokens that reasoning may still take, None for any number: that of an answer which is gone on with
    counts."""
    if request.think_budget is None or turn.begun is None:
        return request.think_budget
    spent = sum(len(segment.ids or ()) for segment in turn.begun.segments if segment.reasoning)
    return max(0, request.think_budget - spent)


def unanswered(turn: Turn) -> Iterator[Warned]:
    """What to say where reasoning took all there was room for."""
    done = turn.generated
    if done and done.finish is Finish.LENGTH and done.reasoning_ids and not done.text.strip():
        yield Warned(
            f"all {len(done.reasoning_ids):,} tokens went into reasoning and none was left for the answer: "
            "allow more with --max-tokens, or less reasoning with --think-budget"
        )
