"""Heads that go back and come again, and what is left out."""

from pathlib import Path

import pytest

from ctxchat.domain.conversation import Change, Omission
from ctxchat.domain.errors import StoreError, UsageError
from ctxchat.store import migrate
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import answer, question, say, texts_of


def begun(conversations: SqliteConversations) -> tuple[str, list[str]]:
    id_ = conversations.create("talk", "").id
    return id_, say(conversations, id_, "one", "uno", "two", "due", "three", "tre")


def test_changes_are_taken_back_from_the_last_on(conversations: SqliteConversations) -> None:
    id_, said = begun(conversations)
    conversations.turn_back(id_, said[3], Change.DELETE)
    conversations.append(id_, answer("duo", said[2]), None, Change.AGAIN)
    conversations.turn_back(id_, None, Change.EDIT)
    assert texts_of(conversations, id_) == []
    assert conversations.last_change(id_) is Change.EDIT
    assert conversations.undo_change(id_) is Change.EDIT
    assert texts_of(conversations, id_) == ["one", "uno", "two", "duo"]
    assert conversations.undo_change(id_) is Change.AGAIN
    assert texts_of(conversations, id_) == ["one", "uno", "two", "due"]
    assert conversations.undo_change(id_) is Change.DELETE
    assert texts_of(conversations, id_)[-1] == "tre"
    assert conversations.undo_change(id_) is None
    assert conversations.last_change(id_) is None


def test_what_was_given_back_stays_so_when_the_head_goes_back_and_comes_again(
    conversations: SqliteConversations,
) -> None:
    id_, said = begun(conversations)
    conversations.reclaim(id_, said[4])
    conversations.turn_back(id_, said[1], Change.EDIT)
    assert reclaimed(conversations, id_) == said[1]
    conversations.undo_change(id_)
    assert reclaimed(conversations, id_) == said[4]
    conversations.turn_back(id_, None, Change.EDIT)
    assert reclaimed(conversations, id_) is None


def test_what_was_given_back_since_stays_so_too(conversations: SqliteConversations) -> None:
    id_, said = begun(conversations)
    conversations.turn_back(id_, said[3], Change.EDIT)
    conversations.reclaim(id_, said[2])
    conversations.undo_change(id_)
    assert reclaimed(conversations, id_) == said[2]


def test_a_head_that_is_not_on_the_path_is_refused(conversations: SqliteConversations) -> None:
    id_, said = begun(conversations)
    conversations.turn_back(id_, said[1], Change.DELETE)
    with pytest.raises(StoreError, match="not in the conversation any more"):
        conversations.turn_back(id_, said[3], Change.DELETE)
    with pytest.raises(StoreError, match="not in the conversation any more"):
        conversations.fork(id_, said[3])
    with pytest.raises(StoreError, match="not in the conversation any more"):
        conversations.leave_out(id_, said[3], Omission.TURN)


def test_what_can_be_brought_back_outlives_other_conversations_and_not_its_own(
    conversations: SqliteConversations, path: Path
) -> None:
    id_, said = begun(conversations)
    conversations.append(id_, question("the password is xyzzy", said[-1]))
    conversations.turn_back(id_, said[1], Change.DELETE)
    other = conversations.create("other", "").id
    conversations.delete(other)
    conversations.undo_change(id_)
    assert texts_of(conversations, id_)[-1] == "the password is xyzzy"
    conversations.turn_back(id_, said[1], Change.DELETE)
    conversations.delete(id_)
    stored = b"".join(file.read_bytes() for file in path.parent.glob("ctxchat.db*"))
    assert b"xyzzy" not in stored


def test_a_turn_that_was_taken_off_is_not_found_by_its_words(conversations: SqliteConversations) -> None:
    id_, said = begun(conversations)
    assert conversations.search("three", 5)
    conversations.turn_back(id_, said[3], Change.DELETE)
    assert conversations.search("three", 5) == []


def test_a_fork_ends_where_it_is_told_and_leaves_out_the_same(conversations: SqliteConversations) -> None:
    id_, said = begun(conversations)
    conversations.leave_out(id_, said[0], Omission.TURN)
    conversations.leave_out(id_, said[4], Omission.TURN)
    conversations.reclaim(id_, said[4])
    fork = conversations.fork(id_, said[3])
    assert texts_of(conversations, fork.id) == ["one", "uno", "two", "due"]
    assert fork.omitted(Omission.TURN) == {said[0]}
    assert fork.reclaimed == said[3]
    assert conversations.last_change(fork.id) is None


def test_what_is_left_out_is_kept_and_put_back_once(conversations: SqliteConversations) -> None:
    id_, said = begun(conversations)
    for _ in range(2):
        conversations.leave_out(id_, said[0], Omission.TURN)
    conversations.leave_out(id_, said[0], Omission.ATTACHED)
    found = conversations.find(id_)
    assert found
    assert found.left_out == {(said[0], Omission.TURN), (said[0], Omission.ATTACHED)}
    conversations.put_back(id_, said[0], Omission.TURN)
    with pytest.raises(UsageError, match="nothing of that is left out"):
        conversations.put_back(id_, said[0], Omission.TURN)


def test_a_store_from_before_there_were_changes_is_upgraded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = migrate._scripts()[:3]
    with monkeypatch.context() as before:
        before.setattr(migrate, "_scripts", lambda: third)
        database = Database(path)
        with database.writing() as connection:
            connection.execute(
                "INSERT INTO message (id, role, at, answered) VALUES"
                " ('m', 'user', '2024-01-01T00:00:00+00:00', 1)"
            )
            connection.execute(
                "INSERT INTO conversation (id, name, head, system, created, updated) VALUES"
                " ('talk', 'a name', 'm', '', '2024-01-01T00:00:00+00:00', '2024-01-01T00:00:00+00:00')"
            )
        database.close()
    later = SqliteConversations(Database(path))
    assert [m.id for m in later.path("talk")] == ["m"]
    later.turn_back("talk", None, Change.DELETE)
    assert later.undo_change("talk") is Change.DELETE
    assert [m.id for m in later.path("talk")] == ["m"]


def reclaimed(conversations: SqliteConversations, id_: str) -> str | None:
    found = conversations.find(id_)
    assert found
    return found.reclaimed
