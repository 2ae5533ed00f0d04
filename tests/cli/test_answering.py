"""A turn ends with a receipt whatever becomes of it, and its end is the exit code."""

import pytest

from ctxchat.cli.answering import exit_code, turn_events
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import CtxChatError, StoreError, UsageError
from ctxchat.domain.events import TurnEvent, TurnFinished
from ctxchat.domain.receipt import Failure
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.settings.schema import Settings
from tests.support.shown_turns import receipt


def events_where_wiring_raises(error: Exception, monkeypatch: pytest.MonkeyPatch) -> list[TurnEvent]:
    def chat_service(settings: Settings) -> None:
        raise error

    monkeypatch.setattr(wiring, "chat_service", chat_service)
    return list(turn_events(Settings(), AskRequest("why"), Cancel()))


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(StoreError("no folder"), 6, "no folder"), (ValueError("odd"), 1, "internal error: ValueError: odd")],
)
def test_a_service_that_cannot_be_made_ends_the_turn_with_an_error(
    error: Exception, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [event] = events_where_wiring_raises(error, monkeypatch)
    assert isinstance(event, TurnFinished)
    assert event.receipt.finish is Finish.ERROR
    assert event.receipt.error
    assert event.receipt.error.code == code
    assert said in event.receipt.error.message
    assert exit_code(event.receipt) == code


def test_a_usage_error_has_no_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError):
        events_where_wiring_raises(UsageError("not so"), monkeypatch)


@pytest.mark.parametrize(
    ("finish", "error", "code"),
    [
        (Finish.STOP, None, 0),
        (Finish.LENGTH, None, 0),
        (None, None, 0),
        (Finish.CANCELLED, None, 130),
        (Finish.ERROR, Failure(4, "too large"), 4),
        (None, Failure(CtxChatError.exit_code, "why"), 1),
    ],
)
def test_the_exit_code_is_that_of_the_end(finish: Finish | None, error: Failure | None, code: int) -> None:
    assert exit_code(receipt(finish=finish, error=error)) == code
