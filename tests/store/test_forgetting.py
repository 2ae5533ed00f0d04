from dataclasses import replace
from pathlib import Path

from ctxchat.domain.conversation import Section, Segment
from ctxchat.domain.prompt import SegmentKey
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.store.forgetting import FORGOTTEN, Forgotten, forget_passage
from ctxchat.store.passages import passage_of
from ctxchat.store.postings import places_of, rewrite_index
from tests.support.messages import answer, question, say
from tests.support.note_rows import add_notes

SECRET = "Quetzalcoatl sleeps in Xanthippe's garden\udcff"


def ask_with(conversations: SqliteConversations, conversation: str, note: str, text: str) -> str:
    """A question in which a note stands, and its answer; the id of the question."""
    path = conversations.path(conversation)
    segments = (
        Segment(Section.TEMPLATE, "[n1] ", (3,)),
        Segment(Section.NOTES, text, (4, 5), passage=note),
        Segment(Section.TEMPLATE, "\n", (6,)),
        Segment(Section.QUESTION, "where?", (7,)),
    )
    asked = replace(question("", path[-1].id if path else None), segments=segments)
    conversations.append(conversation, asked, "v")
    conversations.keep_ids("w", {SegmentKey(asked.id, 1): (int.from_bytes(text[:4].encode(), "big"),)})
    conversations.append(conversation, answer("there", asked.id))
    return asked.id


def forget(database: Database, passage: str) -> Forgotten:
    with database.writing() as connection:
        forgotten = forget_passage(connection, passage)
        rewrite_index(connection)
    database.empty_log()
    return forgotten


def test_a_forgotten_note_is_in_no_byte_of_the_store(
    conversations: SqliteConversations, database: Database, path: Path
) -> None:
    secret, other = add_notes(database, SECRET, "Kilimanjaro is high")
    id_ = conversations.create("a", "").id
    say(conversations, id_, "hello", "yes")
    for _ in range(3):
        ask_with(conversations, id_, secret, SECRET)
    ask_with(conversations, id_, other, "Kilimanjaro is high")
    forget(database, secret)
    stored = b"".join(file.read_bytes().lower() for file in path.parent.glob("ctxchat.db*"))
    assert b"kilimanjaro" in stored
    for trace in (b"quetzal", b"xanthipp", b"etzalcoatl", b"teuq"):
        assert trace not in stored
    with database.reading() as connection:
        assert passage_of(connection, secret) is None
        assert passage_of(connection, other) is not None
        assert not places_of(connection, "garden")


def test_every_segment_that_held_it_is_blank_and_has_no_ids(
    conversations: SqliteConversations, database: Database
) -> None:
    (secret,) = add_notes(database, SECRET)
    id_ = conversations.create("a", "").id
    asked = ask_with(conversations, id_, secret, SECRET)
    forget(database, secret)
    for vocabulary, known in (("v", (3,)), ("w", None)):
        message = conversations.path(id_, vocabulary)[0]
        assert message.id == asked
        assert message.segments[1] == Segment(Section.NOTES, FORGOTTEN, None, passage=secret)
        assert message.segments[0].ids == known


def test_forgetting_tells_the_messages_it_stood_in_and_the_conversations_that_hold_them(
    conversations: SqliteConversations, database: Database
) -> None:
    (secret,) = add_notes(database, SECRET)
    first, second, third = (conversations.create(name, "").id for name in "abc")
    asked = [ask_with(conversations, first, secret, SECRET), ask_with(conversations, second, secret, SECRET)]
    copy = conversations.fork(first).id
    say(conversations, copy, "and then?")
    say(conversations, third, "nothing of it")
    forgotten = forget(database, secret)
    assert set(forgotten.conversations) == {first, second, copy}
    assert len(forgotten.conversations) == 3
    assert set(forgotten.messages) == set(asked)


def test_what_stood_nowhere_or_is_gone_is_forgotten_without_a_trace(
    conversations: SqliteConversations, database: Database
) -> None:
    (alone,) = add_notes(database, "alone")
    assert forget(database, alone) == Forgotten((), ())
    assert forget(database, alone) == Forgotten((), ())
    assert forget(database, "\udcff") == Forgotten((), ())


def test_a_note_that_was_removed_is_still_forgotten_where_it_was_recalled(
    conversations: SqliteConversations, database: Database
) -> None:
    (secret,) = add_notes(database, SECRET)
    id_ = conversations.create("a", "").id
    asked = ask_with(conversations, id_, secret, SECRET)
    with database.writing() as connection:
        connection.execute("DELETE FROM document")
    assert forget(database, secret) == Forgotten((id_,), (asked,))
    assert conversations.path(id_)[0].segments[1].text == FORGOTTEN


def test_a_message_that_another_took_the_place_of_is_blanked_too(
    conversations: SqliteConversations, database: Database
) -> None:
    (secret,) = add_notes(database, SECRET)
    id_ = conversations.create("a", "").id
    asked = ask_with(conversations, id_, secret, SECRET)
    conversations.append(id_, question("asked anew", None))
    assert forget(database, secret) == Forgotten((), (asked,))
    with database.reading() as connection:
        held = connection.execute("SELECT text FROM segment WHERE passage IS NOT NULL").fetchall()
    assert held == [(FORGOTTEN,)]
