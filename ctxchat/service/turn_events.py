"""Events of a turn that are made from what is known of it."""

from collections.abc import Iterator

from ctxchat.domain.events import CostPredicted, Prefilled, Restored, Warned
from ctxchat.domain.ports import Model
from ctxchat.domain.window import Window
from ctxchat.service.plan import read_already, restoring_seconds
from ctxchat.service.request import AskRequest
from ctxchat.service.thinking import warnings_of
from ctxchat.service.turn import Turn


def whole(event: Prefilled, turn: Turn) -> Iterator[Prefilled]:
    """What is prefilled as a part of all that this turn evaluates, also what was read ahead."""
    total = turn.kv.evaluated if turn.kv else event.total
    if event.done == 0 and total > event.total:
        yield Prefilled(0, total)
    yield Prefilled(event.done + total - event.total, total)


def warnings(request: AskRequest, model: Model, window: Window) -> Iterator[Warned]:
    """What a person should know before the prompt is built."""
    if window.warning:
        yield Warned(window.warning)
    yield from warnings_of(request, model.template.behaviour)


def foretold(turn: Turn, model: Model, *, dry_run: bool) -> Iterator[CostPredicted | Restored | Warned]:
    """What is known of a turn's price before it is paid."""
    if miss := turn.restoration.miss:
        yield Warned(miss)
    if turn.kv is None:
        return
    turn.restoring = restoring_seconds(model, turn.kv.restored)
    yield CostPredicted(turn.kv, turn.predicted, turn.curve, read_already(model, turn))
    if turn.kv.restored and not dry_run:
        yield Restored(turn.kv.restored)
