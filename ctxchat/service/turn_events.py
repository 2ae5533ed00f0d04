"""Events of a turn that are made from what is known of it."""

from collections.abc import Iterator

from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import CostPredicted, Prefilled, Restored, Warned
from ctxchat.domain.ports import Model
from ctxchat.domain.window import Window
from ctxchat.service.plan import read_already, restoring_seconds
from ctxchat.service.request import AskRequest, Reply
from ctxchat.service.thinking import warnings_of
from ctxchat.service.turn import Turn


def whole(event: Prefilled, turn: Turn) -> Iterator[Prefilled]:
    """What is prefilled as a part of all that this turn evaluates, also what was read ahead."""
    if turn.ahead is None or turn.kv is None:
        yield event
        return
    total = turn.kv.evaluated
    if event.done == 0 and total > event.total:
        yield Prefilled(0, total)
    yield Prefilled(event.done + total - event.total, total)


def warnings(request: AskRequest, model: Model, window: Window) -> Iterator[Warned]:
    """What a person should know before the prompt is built."""
    if window.warning:
        yield Warned(window.warning)
    yield from warnings_of(request, model.template.behaviour)


def refuse_rest(request: AskRequest, model: Model) -> None:
    """Raises UsageError for the rest of an answer where its beginning cannot be put before it."""
    if request.reply is Reply.REST and model.cache is None and not model.vocabulary.exact:
        raise UsageError(
            "this server takes messages alone, so an answer that was cut cannot be gone on with: ask for the "
            "rest of it in words"
        )


def foretold(turn: Turn, model: Model, *, dry_run: bool) -> Iterator[CostPredicted | Restored | Warned]:
    """What is known of a turn's price before it is paid."""
    if miss := turn.restoration.miss:
        yield Warned(miss)
    turn.restoring = restoring_seconds(model, turn.kv.restored) if turn.kv else 0.0
    turn.foretell()
    if turn.kv is None:
        return
    yield CostPredicted(turn.kv, turn.predicted, turn.curve, read_already(model, turn))
    if turn.kv.restored and not dry_run:
        yield Restored(turn.kv.restored)
