from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ctxchat.domain.conversation import (
    Finish,
    Message,
    Pin,
    Role,
    Section,
    Segment,
    count_turns,
    new_id,
    sent,
)
from ctxchat.domain.errors import StoreError, UsageError
from ctxchat.domain.prompt import SegmentKey
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import answer, question, say, texts_of

ODD = "tab\tnul\0bell\x07 lone\udcff \ud800 pair\U0001f600 line\u2028 crlf\r\n"
TABLES = ("message", "segment", "segment_ids", "passage", "conversation", "pin")


def rows(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in TABLES}


def test_a_message_comes_back_as_it_was_appended(conversations: SqliteConversations, path: Path) -> None:
    conversation = conversations.create(ODD, ODD, [ODD])
    asked = Message(
        new_id(),
        None,
        Role.USER,
        (
            Segment(Section.TEMPLATE, "```stdin\n", (5, 2**31 - 1, -1)),
            Segment(Section.DATA, ODD),
            Segment(Section.QUESTION, "", ()),
        ),
        datetime(2024, 2, 29, 23, 59, 58, 123456, timezone(timedelta(hours=5, minutes=30))),
        name=ODD,
        answered=False,
    )
    conversations.append(conversation.id, asked, "vocabulary")
    answered = replace(
        answer("text", asked.id, (1, 2)),
        finish=Finish.CANCELLED,
        segments=(
            Segment(Section.HISTORY, "thinking", (7,), reasoning=True),
            Segment(Section.HISTORY, ODD, (1, 2)),
        ),
    )
    conversations.append(conversation.id, answered, "vocabulary")
    again = Database(path)
    reopened = SqliteConversations(again)
    assert reopened.path(conversation.id, "vocabulary") == (replace(asked, answered=True), answered)
    assert reopened.path(conversation.id)[0].at.utcoffset() == timedelta(hours=5, minutes=30)
    found = reopened.find(conversation.id)
    assert found is not None
    assert found == replace(conversation, head=answered.id, updated=found.updated)
    assert found.name == found.system == found.pins[0].text == ODD
    again.close()


def test_ids_are_kept_for_each_vocabulary_apart(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    asked = question("q")
    conversations.append(id_, asked)
    conversations.keep_ids("one", {SegmentKey(asked.id, 0): (1, 2, 3)})
    conversations.keep_ids("two", {SegmentKey(asked.id, 0): (4,)})
    ids = {v: conversations.path(id_, v)[0].segments[0].ids for v in ("one", "two", "three", None)}
    assert ids == {"one": (1, 2, 3), "two": (4,), "three": None, None: None}


def test_decoded_ids_are_never_replaced(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    asked, answered = question("q"), None
    conversations.append(id_, asked)
    answered = answer("a", asked.id, (9, 9))
    conversations.append(id_, answered, "v")
    conversations.keep_ids("v", {SegmentKey(answered.id, 0): (1,), SegmentKey("gone", 0): (2,)})
    assert conversations.path(id_, "v")[1].segments[0].ids == (9, 9)


def test_an_answer_marks_only_its_own_question_answered(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    lost = question("never answered")
    conversations.append(id_, lost)
    asked = question("answered", lost.id)
    conversations.append(id_, asked)
    assert [m.answered for m in conversations.path(id_)] == [False, False]
    conversations.append(id_, answer("yes", asked.id))
    path = conversations.path(id_)
    assert [m.spoken for m in path] == ["never answered", "answered", "yes"]
    assert [m.spoken for m in sent(path)] == ["answered", "yes"]
    assert conversations.listing()[0].turns == count_turns(path) == 1


def test_another_answer_takes_the_place_of_the_first(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    asked, _ = say(conversations, id_, "q", "first")
    conversations.append(id_, answer("second", asked))
    assert texts_of(conversations, id_) == ["q", "second"]


def test_a_taken_name_gets_a_number(conversations: SqliteConversations) -> None:
    assert [conversations.create("a", "").name for _ in range(3)] == ["a", "a (2)", "a (3)"]
    assert conversations.create("A", "").name == "A"


def test_a_conversation_is_found_by_id_beginning_and_name(conversations: SqliteConversations) -> None:
    made = conversations.create("plans % for_June", "")
    for reference in (made.id, made.id[:4], made.id[:15], made.name):
        found = conversations.find(reference)
        assert found is not None
        assert found.id == made.id
    for reference in (made.id[:3], "", "plans", "PLANS % FOR_JUNE", "____", "%%%%", made.id + "0", "\udcff"):
        assert conversations.find(reference) is None


def test_an_ambiguous_beginning_is_refused_with_what_it_may_mean(
    conversations: SqliteConversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(["abcd000000000001", "abcd000000000002"])
    monkeypatch.setattr("ctxchat.store.conversation_rows.new_id", lambda: next(ids))
    conversations.create("one", "")
    conversations.create("two", "")
    with pytest.raises(UsageError, match=r"abcd000000000001 \(one\), abcd000000000002 \(two\)"):
        conversations.find("abcd")
    found = conversations.find("abcd000000000002")
    assert found is not None
    assert found.name == "two"


def test_a_name_is_stronger_than_a_beginning_and_an_id_stronger_than_a_name(
    conversations: SqliteConversations,
) -> None:
    first = conversations.create("first", "")
    by_beginning = conversations.create(first.id[:6], "")
    conversations.create(first.id, "")
    assert conversations.find(first.id[:6]) == by_beginning
    assert conversations.find(first.id) == first


def test_renaming_to_a_taken_name_is_refused(conversations: SqliteConversations) -> None:
    one, _ = conversations.create("one", ""), conversations.create("two", "")
    with pytest.raises(UsageError, match='"two"'):
        conversations.rename(one.id, "two")
    conversations.rename(one.id, "one")
    conversations.rename(one.id, "three")
    assert {s.conversation.name for s in conversations.listing()} == {"three", "two"}


def test_the_last_used_is_the_one_written_last(conversations: SqliteConversations) -> None:
    one, two = conversations.create("one", ""), conversations.create("two", "")
    assert conversations.latest() == two
    say(conversations, one.id, "hello")
    assert [s.conversation.id for s in conversations.listing()] == [one.id, two.id]
    conversations.rename(two.id, "renamed")
    copy = conversations.fork(two.id)
    assert [s.conversation.id for s in conversations.listing()] == [copy.id, one.id, two.id]


def test_a_fork_has_the_same_past_and_a_future_of_its_own(conversations: SqliteConversations) -> None:
    original = conversations.create("a", "be brief", ["remember"])
    say(conversations, original.id, "q1", "a1")
    copy = conversations.fork(original.id)
    assert (copy.name, copy.system, [p.text for p in copy.pins]) == ("a (2)", "be brief", ["remember"])
    assert conversations.path(copy.id) == conversations.path(original.id)
    say(conversations, copy.id, "q2", "a2")
    conversations.pin(copy.id, Pin(new_id(), "another"))
    assert texts_of(conversations, original.id) == ["q1", "a1"]
    conversations.delete(original.id)
    assert texts_of(conversations, copy.id) == ["q1", "a1", "q2", "a2"]
    kept = conversations.find(copy.id)
    assert kept is not None
    assert [p.text for p in kept.pins] == ["remember", "another"]


def test_pins_keep_their_order_and_where_they_ride(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "", ["first"]).id
    (asked,) = say(conversations, id_, "q")
    conversations.pin(id_, Pin(new_id(), "second", asked))
    found = conversations.find(id_)
    assert found is not None
    assert [(p.text, p.message) for p in found.pins] == [("first", None), ("second", asked)]


def test_the_system_text_can_be_set(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "old").id
    conversations.set_system(id_, "new")
    found = conversations.find(id_)
    assert found is not None
    assert found.system == "new"


def test_writing_to_a_deleted_conversation_is_told_and_leaves_nothing(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "").id
    (asked,) = say(conversations, id_, "q")
    conversations.delete(id_)
    for attempt in (
        lambda: conversations.append(id_, answer("a", asked)),
        lambda: conversations.append(id_, question("q")),
        lambda: conversations.pin(id_, Pin(new_id(), "p")),
        lambda: conversations.set_system(id_, "s"),
        lambda: conversations.rename(id_, "b"),
        lambda: conversations.fork(id_),
    ):
        with pytest.raises(StoreError, match="deleted meanwhile"):
            attempt()
    assert set(rows(database).values()) == {0}


def test_deleting_the_last_conversation_leaves_no_row(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "", ["pin"]).id
    asked, _ = say(conversations, id_, "q", "first")
    conversations.append(id_, answer("second", asked, (1, 2)), "v")
    conversations.pin(id_, Pin(new_id(), "late", asked))
    assert all(rows(database).values())
    conversations.delete(id_)
    assert set(rows(database).values()) == {0}


def test_deleted_words_are_in_no_file(
    conversations: SqliteConversations, database: Database, path: Path
) -> None:
    kept = conversations.create("kept", "").id
    doomed = conversations.create("Wolverhampton", "Xanthippe", ["Yellowknife"]).id
    say(conversations, kept, "Kilimanjaro", "Llanfair")
    secrets = ["Wolverhampton", "Xanthippe", "Yellowknife", "quetzalcoatl", "zugzwang", "jabberwock" * 900]
    say(conversations, doomed, *secrets[3:])
    conversations.delete(doomed)
    stored = b"".join(file.read_bytes().lower() for file in path.parent.glob("ctxchat.db*"))
    assert b"kilimanjaro" in stored
    for secret in ("wolverhampton", "xanthippe", "yellowknife", "quetzal", "ugzwang", "jabberwock"):
        assert secret.encode() not in stored
    assert conversations.search("quetzalcoatl", 10) == []
    assert len(conversations.search("Kilimanjaro", 10)) == 1


def test_tokens_are_those_of_the_vocabulary_with_most(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    first, second = say(conversations, id_, "q", "a")
    conversations.keep_ids("one", {SegmentKey(first, 0): (1, 2, 3), SegmentKey(second, 0): (4,)})
    conversations.keep_ids("two", {SegmentKey(first, 0): (5,)})
    conversations.create("empty", "")
    assert {s.conversation.name: (s.turns, s.tokens) for s in conversations.listing()} == {
        "a": (1, 4),
        "empty": (0, 0),
    }


def test_adopted_messages_are_all_there_or_none(
    conversations: SqliteConversations, database: Database
) -> None:
    first = replace(question("q"), origin="D1:1", name="Ann")
    second = replace(question("q2", first.id), origin="D1:2")
    made = conversations.adopt("import", "be brief", [first, second])
    assert conversations.path(made.id) == (first, second)
    assert conversations.latest() == made
    assert made.system == "be brief"
    assert conversations.listing()[0].turns == 2
    before = rows(database)
    with pytest.raises(StoreError):
        conversations.adopt("again", "", [question("fresh"), first])
    assert rows(database) == before


def test_ten_thousand_messages_are_one_path(conversations: SqliteConversations) -> None:
    messages: list[Message] = []
    for number in range(10_000):
        segments = (Segment(Section.HISTORY, str(number)),)
        parent = messages[-1].id if messages else None
        messages.append(Message(f"{number:016x}", parent, Role.USER, segments, datetime.now(UTC)))
    made = conversations.adopt("long", "", messages)
    assert [m.spoken for m in conversations.path(made.id)] == [str(n) for n in range(10_000)]
    assert conversations.search("7777", 10)[0].conversation == made.id
    conversations.delete(made.id)
    assert conversations.listing() == []
