"""What messages give to memory, and what becomes of it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctxchat.domain.conversation import Finish, Message, Role, Section, Segment, new_id
from ctxchat.domain.errors import StoreError
from ctxchat.domain.passage import Chunk, PassageKind
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.store.passages import along_path, passage_of, passages_of
from tests.support.messages import answer, question, say

ODD = "nul\0 lone\udcff \ud800 pair\U0001f600 line\u2028 crlf\r\n"


def texts_along(database: Database, conversation: str) -> list[str]:
    with database.reading() as connection:
        places = along_path(connection, conversation)
        whole = passages_of(connection, [place.serial for place in places])
    return [whole[place.serial].text for place in places]


def index_holds_what_is_recorded(database: Database) -> None:
    with database.writing() as connection:
        connection.execute("INSERT INTO passage_fts (passage_fts, rank) VALUES ('integrity-check', 1)")


def test_what_is_said_is_a_passage_whose_id_is_that_of_the_message(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "").id
    at = datetime(2024, 5, 1, tzinfo=UTC)
    segments = (
        Segment(Section.HISTORY, "hidden", reasoning=True),
        Segment(Section.DATA, "attached"),
        Segment(Section.HISTORY, "It's said — twice."),
    )
    said = Message(new_id(), None, Role.ASSISTANT, segments, at, "Ann", Finish.STOP, origin="D1:1")
    conversations.append(id_, said)
    with database.reading() as connection:
        passage = passage_of(connection, said.id)
        (place,) = along_path(connection, id_)
    assert passage is not None
    assert (passage.kind, passage.text, passage.source) == (PassageKind.TURN, "It's said — twice.", "D1:1")
    assert (passage.at, passage.message, passage.role, passage.name) == (at, said.id, Role.ASSISTANT, "Ann")
    assert passage.collection is None
    assert place.words == 3


@pytest.mark.parametrize("blank", ["", " \n\t", "\u2003"])
def test_a_blank_message_is_no_passage(
    conversations: SqliteConversations, database: Database, blank: str
) -> None:
    id_ = conversations.create("a", "").id
    say(conversations, id_, "before", blank)
    assert texts_along(database, id_) == ["before"]


def test_a_text_that_was_attached_can_be_joined_from_its_passages(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "").id
    (asked,) = say(conversations, id_, "what is in it?")
    lines = [f"{ODD}{number}\n" for number in range(1, 1202)] + ["  \n", "no end"]
    chunks = [Chunk(number, number, line) for number, line in enumerate(lines, start=1)]
    conversations.keep_attached(asked, "logs/a b.log\udcff", chunks)
    conversations.keep_attached(asked, "other", [Chunk(3, 9, "apart")])
    turn, *kept = texts_along(database, id_)
    assert turn == "what is in it?"
    assert "".join(kept) == "".join(lines) + "apart"
    with database.reading() as connection:
        places = along_path(connection, id_)
        last = passage_of(connection, places[-1].id)
        second = passage_of(connection, places[2].id)
    assert second is not None
    assert second.source == "logs/a b.log\udcff:2-2"
    assert last is not None
    assert (last.kind, last.source, last.message) == (PassageKind.DATA, "other:3-9", asked)
    index_holds_what_is_recorded(database)


def test_text_cannot_be_kept_for_a_message_that_is_gone(
    conversations: SqliteConversations, database: Database
) -> None:
    conversations.create("a", "")
    with pytest.raises(StoreError, match="deleted meanwhile"):
        conversations.keep_attached(new_id(), "l", [Chunk(1, 1, "x")])


def test_searching_messages_finds_no_attached_text(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "").id
    (asked,) = say(conversations, id_, "the zebra here")
    conversations.keep_attached(asked, "l", [Chunk(1, 1, "another zebra, and a walrus")])
    for query in ("zebra", "zebr", "ebra her"):
        assert [hit.text for hit in conversations.search(query, 10)] == ["the zebra here"]
    assert conversations.search("walrus", 10) == []
    assert conversations.search("walru", 10) == []


def test_a_question_is_recorded_with_other_segments(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "").id
    asked = question("what?", None, (1, 2))
    conversations.append(id_, asked, "v")
    recalled = (
        Segment(Section.TEMPLATE, "[n1]\n"),
        Segment(Section.NOTES, ODD, passage="0" * 16),
        Segment(Section.TEMPLATE, "\n"),
        Segment(Section.QUESTION, "what?"),
    )
    conversations.restate(replace(asked, segments=recalled))
    assert conversations.path(id_, "v")[0].segments == recalled
    assert texts_along(database, id_) == ["what?"]
    assert [hit.text for hit in conversations.search("what", 10)] == ["what?"]


def test_a_question_that_is_answered_or_gone_is_not_restated(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    asked = question("what?")
    conversations.append(id_, asked)
    conversations.append(id_, answer("that", asked.id))
    before = conversations.path(id_)
    for message in (asked, question("never asked")):
        with pytest.raises(StoreError, match="nothing was recorded"):
            conversations.restate(replace(message, segments=(Segment(Section.QUESTION, "other"),)))
    assert conversations.path(id_) == before


def test_what_is_reclaimed_is_known_to_the_conversation_and_its_forks(
    conversations: SqliteConversations,
) -> None:
    made = conversations.create("a", "")
    assert made.reclaimed is None
    first, second = say(conversations, made.id, "q", "a")
    conversations.reclaim(made.id, first)
    conversations.reclaim(made.id, second)
    copy = conversations.fork(made.id)
    assert copy.reclaimed == second
    conversations.reclaim(copy.id, first)
    assert {s.conversation.id: s.conversation.reclaimed for s in conversations.listing()} == {
        made.id: second,
        copy.id: first,
    }


def test_what_is_gone_cannot_be_reclaimed(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    (said,) = say(conversations, id_, "q")
    for conversation, message in ((id_, new_id()), (new_id(), said)):
        with pytest.raises(StoreError, match="deleted meanwhile"):
            conversations.reclaim(conversation, message)


def test_a_deleted_message_is_reclaimed_no_more(
    conversations: SqliteConversations, database: Database
) -> None:
    """An answer that another took the place of is deleted with the next conversation."""
    id_ = conversations.create("a", "").id
    asked, clumsy = say(conversations, id_, "q", "clumsy")
    conversations.reclaim(id_, clumsy)
    conversations.append(id_, answer("better", asked))
    conversations.delete(conversations.create("b", "").id)
    found = conversations.find(id_)
    assert found is not None
    assert found.reclaimed is None


def test_passages_go_with_their_conversation_and_leave_no_byte(
    conversations: SqliteConversations, database: Database, path: Path
) -> None:
    kept = conversations.create("kept", "").id
    say(conversations, kept, "Kilimanjaro")
    doomed = conversations.create("doomed", "").id
    asked, _ = say(conversations, doomed, f"quetzalcoatl {ODD}", "zugzwang")
    chunks = [Chunk(1, 1, f"jabberwock {ODD}"), Chunk(2, 2, "jabberwocky " * 900)]
    conversations.keep_attached(asked, "Xanthippe", chunks)
    with database.writing() as connection:
        connection.execute("UPDATE passage SET space = 's', vector = CAST('Wolverhampton' AS BLOB)")
        connection.execute("UPDATE passage SET vector = NULL WHERE id IN (SELECT head FROM conversation)")
    conversations.delete(doomed)
    stored = b"".join(file.read_bytes().lower() for file in path.parent.glob("ctxchat.db*"))
    assert b"kilimanjaro" in stored
    for secret in (b"quetzal", b"ugzwang", b"jabberwo", b"xanthippe", b"wolverhampton"):
        assert secret not in stored
    assert texts_along(database, kept) == ["Kilimanjaro"]
    index_holds_what_is_recorded(database)
