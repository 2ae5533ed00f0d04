from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.context.assemble import Wording
from ctxchat.domain.conversation import Message, Pin, Section, new_id
from ctxchat.service.clock import SystemClock
from ctxchat.service.journal import Journal
from ctxchat.service.request import AskRequest
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import answer, say


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SqliteConversations]:
    database = Database(tmp_path / "ctxchat.db")
    yield SqliteConversations(database, wait=0.05)
    database.close()


@pytest.fixture
def journal(record: SqliteConversations) -> Journal:
    return Journal(record, SystemClock(), Wording("Remember: ", ".", "Yes.", "Hello."), "Be brief.")


def asked(journal: Journal, **request: object) -> tuple[tuple[Pin, ...], Message]:
    """The pins after the question was written down, and the question."""
    wanted = AskRequest("Why?", resume=True, **request)  # type: ignore[arg-type]
    with journal.conversation(wanted) as held:
        conversation, question = journal.ask(wanted, held)
    return conversation.pins, question


def pinned(message: Message) -> list[str]:
    return [segment.text for segment in message.segments if segment.section is Section.PINS]


def pins_of(record: SqliteConversations) -> tuple[Pin, ...]:
    latest = record.latest()
    assert latest is not None
    return latest.pins


def test_a_pending_pin_rides_in_the_next_question(journal: Journal, record: SqliteConversations) -> None:
    id_ = record.create("a", "", ["leads"]).id
    say(record, id_, "q", "a")
    record.pin(id_, Pin(new_id(), "pending", pending=True))
    pins, question = asked(journal, pins=("typed",))
    assert pinned(question) == ["pending", "typed"]
    assert [(pin.text, pin.message) for pin in pins] == [
        ("leads", None),
        ("pending", question.id),
        ("typed", question.id),
    ]
    assert pins_of(record) == pins
    record.append(id_, answer("because", question.id))
    assert pinned(asked(journal)[1]) == []
    assert pins_of(record) == pins


def test_pins_of_a_question_that_was_never_answered_ride_in_the_next(
    journal: Journal, record: SqliteConversations
) -> None:
    say(record, record.create("a", "").id, "q", "a")
    _, unanswered = asked(journal, pins=("late",))
    assert pinned(unanswered) == ["late"]
    _, question = asked(journal)
    assert pinned(question) == ["late"]
    assert [pin.message for pin in pins_of(record)] == [question.id]


def test_a_removed_pin_rides_no_more(journal: Journal, record: SqliteConversations) -> None:
    id_ = record.create("a", "").id
    say(record, id_, "q", "a")
    asked(journal, pins=("late",))
    record.unpin(id_, pins_of(record)[0].id)
    pins, question = asked(journal)
    assert pins == ()
    assert pinned(question) == []


def test_a_turn_off_the_record_carries_pending_pins_and_leaves_them_pending(
    journal: Journal, record: SqliteConversations
) -> None:
    id_ = record.create("a", "").id
    say(record, id_, "q", "a")
    record.pin(id_, Pin(new_id(), "pending", pending=True))
    _, question = asked(journal, record=False)
    assert pinned(question) == ["pending"]
    assert [pin.pending for pin in pins_of(record)] == [True]
