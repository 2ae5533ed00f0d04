from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.domain.conversation import Pin
from ctxchat.domain.errors import UsageError
from ctxchat.service.pins import PinService
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import say


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SqliteConversations]:
    database = Database(tmp_path / "ctxchat.db")
    yield SqliteConversations(database, wait=0.05)
    database.close()


def test_a_beginning_that_several_pins_have_removes_none(record: SqliteConversations) -> None:
    id_ = record.create("a", "").id
    for pin in ("aab1", "aab2", "c3"):
        record.pin(id_, Pin(pin, f"text of {pin}"))
    service = PinService(record)
    with pytest.raises(UsageError, match="aab1, aab2"):
        service.remove(None, "aa")
    assert service.remove(None, "aab2") == Pin("aab2", "text of aab2")
    assert service.remove(None, "c").id == "c3"
    assert [pin.id for pin in service.listing(id_)] == ["aab1"]


def test_a_pin_is_pending_where_there_are_turns_to_keep(record: SqliteConversations) -> None:
    id_ = record.create("a", "").id
    say(record, id_, "never answered")
    service = PinService(record)
    assert service.add("a", " as typed\n").leads
    say(record, id_, "q", "a")
    assert service.add("a", "late").pending
    assert [pin.text for pin in service.listing(None)] == [" as typed\n", "late"]
