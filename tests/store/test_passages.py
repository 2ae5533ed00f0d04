from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxchat.domain.conversation import Message, Role, Section, Segment
from ctxchat.domain.passage import Chunk, PassageKind, Scope
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.store.passages import (
    along_path,
    counts,
    holds,
    notes_of,
    passage_of,
    passages_of,
    serials_of,
)
from ctxchat.store.postings import places_of, stems_of
from ctxchat.store.vectors import keep_vectors, vectors_of, without_vectors
from tests.support.messages import answer, question, say
from tests.support.note_rows import ADDED, add_notes


def test_the_passages_of_a_path_stand_in_its_order(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "").id
    at = datetime(2024, 1, 1, tzinfo=UTC)
    first = replace(question("one two"), at=at, name="Ann")
    second = replace(answer(" ", first.id), at=at + timedelta(days=1))
    third = replace(question("three", second.id), at=at + timedelta(days=2))
    for message in (first, second, third):
        conversations.append(id_, message)
    say(conversations, conversations.create("another", "").id, "elsewhere")
    conversations.keep_attached(first.id, "l", [Chunk(1, 1, "a\n"), Chunk(2, 3, "b c d")])
    with database.reading() as connection:
        places = along_path(connection, id_)
    assert [(p.message, p.kind, p.words, p.place) for p in places] == [
        (first.id, PassageKind.TURN, 2, 0),
        (first.id, PassageKind.DATA, 1, 0),
        (first.id, PassageKind.DATA, 3, 0),
        (third.id, PassageKind.TURN, 1, 2),
    ]
    assert [(p.at, p.role, p.name) for p in places[2:]] == [
        (first.at, Role.USER, "Ann"),
        (third.at, Role.USER, None),
    ]


def test_an_answer_that_was_replaced_is_on_no_path(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "").id
    asked, _ = say(conversations, id_, "q", "clumsy")
    better = answer("better", asked)
    conversations.append(id_, better)
    with database.reading() as connection:
        assert [place.id for place in along_path(connection, id_)] == [asked, better.id]


def test_ten_thousand_turns_are_whole_by_their_serials(
    conversations: SqliteConversations, database: Database
) -> None:
    messages: list[Message] = []
    for number in range(10_000):
        parent = messages[-1].id if messages else None
        segments = (Segment(Section.HISTORY, str(number)),)
        messages.append(Message(f"{number:016x}", parent, Role.USER, segments, datetime.now(UTC)))
    made = conversations.adopt("long", "", messages)
    with database.reading() as connection:
        places = along_path(connection, made.id)
        whole = passages_of(connection, [place.serial for place in places] + [999_999])
        serials = serials_of(connection, [message.id for message in messages] + ["no such"])
    assert [place.place for place in places] == list(range(10_000))
    assert [whole[place.serial].text for place in places] == [str(number) for number in range(10_000)]
    assert serials == {place.id: place.serial for place in places}


def test_notes_are_listed_by_collection(database: Database) -> None:
    first = add_notes(database, "a b", "c", collection="one")
    second = add_notes(database, "d e f", collection="two\udcff")
    add_notes(database, "g", collection="three")
    with database.reading() as connection:
        serials = serials_of(connection, [*first, *second])
        listed = notes_of(connection, ("one", "two\udcff", "none"))
        everything = notes_of(connection, None)
        nothing = notes_of(connection, ())
    rows = {tuple(listed[i : i + 4]) for i in range(0, len(listed), 4)}
    assert rows == {
        (serials[first[0]], 2, 1, 0),
        (serials[first[1]], 1, 1, 1),
        (serials[second[0]], 3, 2, 0),
    }
    assert (len(everything), len(nothing)) == (16, 0)


def test_a_note_is_whole_with_its_collection_and_the_time_it_was_added(database: Database) -> None:
    (note,) = add_notes(database, "\udcff text", collection="c", source="a\udcff.md")
    with database.reading() as connection:
        passage = passage_of(connection, note)
        assert passage_of(connection, "no such") is None
        assert passage_of(connection, "\udcff") is None
    assert passage is not None
    assert (passage.kind, passage.text, passage.source) == (
        PassageKind.NOTE,
        "\udcff text",
        "a\udcff.md:1-2",
    )
    assert (passage.collection, passage.at.isoformat()) == ("c", ADDED)
    assert (passage.message, passage.role, passage.name) == (None, None, None)


def test_a_scope_holds_what_is_not_left_out(conversations: SqliteConversations, database: Database) -> None:
    id_ = conversations.create("a", "").id
    first, second = say(conversations, id_, "q", "a")
    conversations.keep_attached(first, "l", [Chunk(1, 1, "x")])
    add_notes(database, "n", collection="one")
    both = frozenset({first, second})
    expected = {
        Scope(("one",)): True,
        Scope(("none", "one")): True,
        Scope(("none",)): False,
        Scope(None): True,
        Scope(()): False,
        Scope(None, kinds=(PassageKind.TURN, PassageKind.DATA)): False,
        Scope((), id_): True,
        Scope((), id_, both, (PassageKind.TURN,)): False,
        Scope((), id_, both): True,
        Scope((), id_, frozenset({second})): True,
        Scope((), id_, frozenset({first})): True,
        Scope((), id_, frozenset({first}), (PassageKind.DATA,)): True,
        Scope((), id_, frozenset({second}), (PassageKind.DATA,)): True,
        Scope((), "no such"): False,
    }
    with database.reading() as connection:
        assert {scope: holds(connection, scope) for scope in expected} == expected


def test_an_absent_store_holds_nothing_and_is_not_made(database: Database) -> None:
    with database.reading() as connection:
        assert not holds(connection, Scope(None, "a"))
        assert stems_of(connection, ["running dogs"]) == [["run", "dog"]]
        assert not places_of(connection, "run")
        assert along_path(connection, "a") == []
        assert not notes_of(connection, None)
        assert set(counts(connection).values()) == {0}
    assert not database.path.parent.exists()


def test_passages_are_counted_by_kind(conversations: SqliteConversations, database: Database) -> None:
    (asked,) = say(conversations, conversations.create("a", "").id, "q")
    conversations.keep_attached(asked, "l", [Chunk(1, 1, "x"), Chunk(2, 2, "y")])
    add_notes(database, "n", "m", "o")
    with database.reading() as connection:
        assert counts(connection) == {PassageKind.TURN: 1, PassageKind.DATA: 2, PassageKind.NOTE: 3}


def test_a_query_becomes_the_words_of_the_index(
    conversations: SqliteConversations, database: Database
) -> None:
    text = "Running to the CAFÉ: it's 2024-05-01, \udcff nul\0byte"
    say(conversations, conversations.create("a", "").id, text)
    queries = [text, "", "running running", "?!"]
    for _ in range(2):
        with database.reading() as connection:
            whole, *others = stems_of(connection, queries)
            indexed = {row[0] for row in connection.execute("SELECT term FROM passage_word")}
        assert whole[:4] == ["run", "to", "the", "cafe"]
        assert set(whole) == indexed
        assert others == [[], ["run", "run"], []]


def test_a_word_is_placed_once_for_each_time_it_stands_in_a_passage(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "").id
    said = say(conversations, id_, "dogs run, dogs bark", "no cat", "a dog")
    (note,) = add_notes(database, "dog dog dog")
    with database.reading() as connection:
        serials = serials_of(connection, [*said, note])
        places = places_of(connection, "dog")
        assert not places_of(connection, "dogs")
    assert list(places) == [serials[said[0]]] * 2 + [serials[said[2]]] + [serials[note]] * 3
    conversations.delete(id_)
    with database.reading() as connection:
        assert list(places_of(connection, "dog")) == [serials[note]] * 3


@given(text=st.text(st.characters(exclude_categories=[])))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_word_of_any_text_is_found_by_its_stem(
    conversations: SqliteConversations, database: Database, text: str
) -> None:
    id_ = conversations.create("a", "").id
    said = say(conversations, id_, f"x{text}")
    with database.reading() as connection:
        (stems,) = stems_of(connection, [f"x{text}"])
        (serial,) = serials_of(connection, said).values()
        assert stems
        for stem in set(stems):
            assert places_of(connection, stem).count(serial) == stems.count(stem)
    conversations.delete(id_)


@pytest.fixture
def two(conversations: SqliteConversations, database: Database) -> dict[str, int]:
    """Serials of two turns by their ids."""
    said = say(conversations, conversations.create("a", "").id, "q", "a\udcff")
    with database.reading() as connection:
        return dict(sorted(serials_of(connection, said).items(), key=lambda pair: pair[1]))


def test_vectors_of_another_space_are_missing(database: Database, two: dict[str, int]) -> None:
    (first, one), (second, other) = two.items()
    with database.writing() as connection:
        keep_vectors(connection, "s", {first: b"1234"})
    with database.reading() as connection:
        assert vectors_of(connection, [one, other, 99], "s") == {one: b"1234"}
        assert without_vectors(connection, [one, other, 99], "s") == [(other, second, "a\udcff")]
        assert vectors_of(connection, [one, other], "t") == {}
        assert [row.id for row in without_vectors(connection, [one, other], "t")] == [first, second]
    with database.writing() as connection:
        keep_vectors(connection, "t", {first: b"5678", second: b"9abc"})
    with database.reading() as connection:
        assert vectors_of(connection, [one, other], "s") == {}
        assert vectors_of(connection, [one, other], "t") == {one: b"5678", other: b"9abc"}
        assert without_vectors(connection, [one, other], "t") == []


def test_a_vector_of_a_passage_that_was_deleted_meanwhile_is_given_to_no_other(
    conversations: SqliteConversations, database: Database, two: dict[str, int]
) -> None:
    gone = dict(two)
    latest = conversations.latest()
    assert latest is not None
    conversations.delete(latest.id)
    said = say(conversations, conversations.create("b", "").id, "other", "words")
    with database.writing() as connection:
        keep_vectors(connection, "s", dict.fromkeys(gone, b"1234"))
    with database.reading() as connection:
        assert set(serials_of(connection, said).values()) == set(gone.values())
        assert vectors_of(connection, gone.values(), "s") == {}
