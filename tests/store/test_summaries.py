from dataclasses import replace
from pathlib import Path

import pytest

from ctxchat.domain.conversation import Pin, new_id
from ctxchat.domain.errors import StoreError, UsageError
from ctxchat.domain.summary import SummaryBlock, SummaryOrigin
from ctxchat.store import migrate
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import say, texts_of

FIRST_SHAPE = migrate._scripts()[:1]


def block(first: str, last: str, prose: str = "what was said") -> SummaryBlock:
    return SummaryBlock(new_id(), first, last, 1, prose, ("12 May", "\udcff"), ("tea",), SummaryOrigin.DIGEST)


@pytest.fixture
def talk(conversations: SqliteConversations) -> tuple[str, list[str]]:
    """A conversation of three turns, and the ids of its messages."""
    id_ = conversations.create("talk", "", ["stands first"]).id
    return id_, say(conversations, id_, "q1", "a1", "q2", "a2", "q3", "a3")


def test_blocks_come_back_as_they_were_recorded(
    conversations: SqliteConversations, talk: tuple[str, list[str]], path: Path
) -> None:
    id_, said = talk
    blocks = (block(said[0], said[1], "é\0\ud800"), block(said[2], said[3]))
    conversations.compact(id_, blocks)
    again = Database(path)
    assert SqliteConversations(again).blocks(id_) == blocks
    again.close()


@pytest.mark.parametrize(
    "spans",
    [
        [(2, 3)],
        [(0, 1), (4, 5)],
        [(0, 3), (2, 5)],
        [(2, 3), (0, 1)],
        [(1, 0)],
    ],
    ids=["not from the root", "a gap", "an overlap", "out of order", "backwards"],
)
def test_blocks_that_do_not_follow_each_other_from_the_root_are_refused(
    conversations: SqliteConversations, talk: tuple[str, list[str]], spans: list[tuple[int, int]]
) -> None:
    id_, said = talk
    with pytest.raises(AssertionError):
        conversations.compact(id_, [block(said[first], said[last]) for first, last in spans])
    assert conversations.blocks(id_) == ()
    assert not conversations.undo_compaction(id_)


def test_a_recorded_block_never_changes(
    conversations: SqliteConversations, talk: tuple[str, list[str]]
) -> None:
    id_, said = talk
    first = block(said[0], said[1])
    conversations.compact(id_, [first])
    with pytest.raises(AssertionError):
        conversations.compact(id_, [replace(first, prose="another")])
    assert conversations.blocks(id_) == (first,)


def test_a_compaction_lets_every_pin_stand_before_the_history(
    conversations: SqliteConversations, talk: tuple[str, list[str]]
) -> None:
    id_, said = talk
    conversations.pin(id_, Pin(new_id(), "rides", said[4]))
    conversations.pin(id_, Pin(new_id(), "pending", pending=True))
    conversations.compact(id_, [block(said[0], said[1])])
    found = conversations.find(id_)
    assert found is not None
    assert [(p.text, p.leads) for p in found.pins] == [
        ("stands first", True),
        ("rides", True),
        ("pending", True),
    ]


def test_an_edit_of_an_earlier_turn_takes_later_blocks_out_of_force(
    conversations: SqliteConversations, talk: tuple[str, list[str]]
) -> None:
    id_, said = talk
    first, second = block(said[0], said[1]), block(said[2], said[3])
    conversations.compact(id_, [first])
    conversations.compact(id_, [first, second])
    copy = conversations.fork(id_).id
    edited = replace(conversations.path(id_)[2], id=new_id())
    conversations.append(id_, edited)
    assert conversations.blocks(id_) == (first,)
    assert conversations.blocks(copy) == (first, second)
    assert conversations.undo_compaction(id_)
    assert conversations.blocks(id_) == ()
    conversations.delete(copy)
    assert conversations.blocks(id_) == ()
    assert texts_of(conversations, id_) == ["q1", "a1", "q2"]


def test_a_pin_can_be_moved_and_removed(
    conversations: SqliteConversations, talk: tuple[str, list[str]]
) -> None:
    id_, said = talk
    pin = Pin(new_id(), "late", pending=True)
    conversations.pin(id_, pin)
    conversations.pin(id_, replace(pin, message=said[4], pending=False))
    found = conversations.find(id_)
    assert found is not None
    assert [(p.text, p.message, p.pending) for p in found.pins] == [
        ("stands first", None, False),
        ("late", said[4], False),
    ]
    copy = conversations.fork(id_)
    conversations.unpin(id_, pin.id)
    for unknown in (pin.id, copy.pins[0].id, "\udcff"):
        with pytest.raises(UsageError, match="there is no pin"):
            conversations.unpin(id_, unknown)
    kept = conversations.find(copy.id)
    assert kept is not None
    assert [p.text for p in kept.pins] == ["stands first", "late"]


def test_summaries_are_not_searched(conversations: SqliteConversations, talk: tuple[str, list[str]]) -> None:
    id_, said = talk
    conversations.compact(id_, [block(said[0], said[1], "rhubarb")])
    assert conversations.search("rhubarb", 10) == []
    assert [hit.text for hit in conversations.search("q1", 10)] == ["q1"]


def test_a_conversation_that_is_gone_cannot_be_compacted(conversations: SqliteConversations) -> None:
    with pytest.raises(StoreError, match="deleted meanwhile"):
        conversations.compact("0" * 16, [])
    assert conversations.blocks("0" * 16) == ()


def test_a_store_of_the_first_shape_is_upgraded_and_keeps_all(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(migrate, "_scripts", lambda: FIRST_SHAPE)
        database = Database(path)
        with database.writing() as connection:
            connection.executescript(ROWS_OF_THE_FIRST_SHAPE)
        database.close()
    database = Database(path)
    conversations = SqliteConversations(database)
    found = conversations.find("conversation")
    assert found is not None
    assert found.pins == (Pin("pin", "remember"), Pin("late", "this too", "question"))
    assert [(m.id, m.spoken, m.segments[0].ids) for m in conversations.path(found.id, "v")] == [
        ("question", "why?", (7,)),
        ("answer", "because", None),
    ]
    assert [hit.message for hit in conversations.search("because", 10)] == ["answer"]
    assert conversations.blocks(found.id) == ()
    made = block("question", "answer")
    conversations.compact(found.id, [made])
    assert conversations.blocks(found.id) == (made,)
    conversations.delete(found.id)
    assert database.check() == 0
    database.close()


ROWS_OF_THE_FIRST_SHAPE = """
    BEGIN;
    INSERT INTO message VALUES
        (1, 'question', NULL, 'user', NULL, '2024-01-01T00:00:00+00:00', NULL, 1, NULL);
    INSERT INTO message VALUES
        (2, 'answer', 'question', 'assistant', NULL, '2024-01-01T00:00:01+00:00', 'stop', 1, NULL);
    INSERT INTO segment VALUES (1, 'question', 0, 'question', 0, 'why?'),
        (2, 'answer', 0, 'history', 0, 'because');
    INSERT INTO segment_ids VALUES (1, 'v', x'07000000');
    INSERT INTO message_fts (rowid, text) VALUES (1, 'why?'), (2, 'because');
    INSERT INTO conversation VALUES
        (1, 'conversation', 'a name', 'answer', '', '2024-01-01T00:00:00+00:00', '2024-01-01T00:00:00+00:00');
    INSERT INTO pin VALUES ('pin', 'conversation', 'remember', NULL, 0);
    INSERT INTO pin VALUES ('late', 'conversation', 'this too', 'question', 1);
"""


@pytest.mark.parametrize("spoil", ["facts = 'no json'", "origin = 'nobody'"])
def test_a_damaged_block_is_told(
    conversations: SqliteConversations,
    database: Database,
    talk: tuple[str, list[str]],
    spoil: str,
) -> None:
    id_, said = talk
    conversations.compact(id_, [block(said[0], said[1])])
    with database.writing() as connection:
        connection.execute(f"UPDATE summary_block SET {spoil}")
    with pytest.raises(StoreError, match="damaged"):
        conversations.blocks(id_)
