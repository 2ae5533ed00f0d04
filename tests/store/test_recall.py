"""Passages found by a question, over a store of their own."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxchat.domain.conversation import Message, Role, Section, Segment, new_id
from ctxchat.domain.passage import Chunk, Document, Hit, PassageKind, Scope
from ctxchat.store import note_rows
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.store.recall import SqliteRecall
from ctxchat.store.static_embedding import StaticEmbedder

NOON = datetime(2023, 7, 31, 12, tzinfo=UTC)
SAID = [
    "My sister breeds alpacas near Turin.",
    "How lovely! Do they need much land?",
    "Two hectares, she says.",
    "And what do you do for a living?",
    "I repair church organs.",
    "The weather was awful all week.",
]
SHIPPED = StaticEmbedder()

Ask = Callable[..., list[Hit]]


class CountingEmbedder:
    """The shipped embedder, which tells what it was given."""

    def __init__(self, space: str = SHIPPED.space) -> None:
        self.space = space
        self.given: list[str] = []

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        self.given += texts
        return SHIPPED.embed(texts)


class NearestNotes:
    """Stands for the index of notes: all there are, in the order it was told."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)
        self.warmed = 0

    def warm(self) -> None:
        self.warmed += 1

    def nearest(
        self, collections: tuple[str, ...] | None, vector: bytes, limit: int, *, indexed: bool = True
    ) -> list[str]:
        return self.ids[:limit]

    def disagreeing(self) -> list[str]:
        return []

    def repair(self) -> list[str]:
        return []


def messages(texts: Sequence[str], pauses: dict[int, timedelta] | None = None) -> list[Message]:
    said: list[Message] = []
    at = NOON
    for number, text in enumerate(texts):
        at += (pauses or {}).get(number, timedelta(minutes=1))
        role, name = ((Role.USER, "Ann"), (Role.ASSISTANT, "Bo"))[number % 2]
        parent = said[-1].id if said else None
        said.append(Message(new_id(), parent, role, (Segment(Section.HISTORY, text),), at, name))
    return said


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def recall(database: Database, embedder: CountingEmbedder) -> SqliteRecall:
    return SqliteRecall(database, lambda: embedder)


def turns(conversation: str) -> Scope:
    return Scope(conversation=conversation, kinds=(PassageKind.TURN,))


def texts(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage.text for hit in hits]


def test_a_turn_is_found_by_its_words_in_other_forms(
    conversations: SqliteConversations, recall: SqliteRecall
) -> None:
    talk = conversations.adopt("talk", "", messages(SAID))
    hits = recall.search("Who is breeding an alpaca?", turns(talk.id))
    assert len(hits) == len(SAID)
    best = hits[0]
    assert best.passage.text == SAID[0]
    assert (best.passage.role, best.passage.name, best.passage.kind) == (Role.USER, "Ann", PassageKind.TURN)
    assert best.matched == pytest.approx(1)
    assert best.cosine > 0.3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_turn_is_found_by_what_it_means(conversations: SqliteConversations, recall: SqliteRecall) -> None:
    talk = conversations.adopt("talk", "", messages(SAID))
    best = recall.search("Which occupation, which profession?", turns(talk.id))[0]
    assert best.passage.text in SAID[3:5]
    assert best.matched == 0


def test_the_speaker_who_is_named_goes_first(
    conversations: SqliteConversations, recall: SqliteRecall
) -> None:
    talk = conversations.adopt("talk", "", messages(["I like figs."] * 6))
    names = [hit.passage.name for hit in recall.search("Does Bo like figs?", turns(talk.id))]
    assert names == ["Bo"] * 3 + ["Ann"] * 3


def test_the_day_that_is_named_goes_first(conversations: SqliteConversations, recall: SqliteRecall) -> None:
    talk = conversations.adopt("talk", "", messages(["We ate figs."] * 4, {2: timedelta(days=1)}))
    hits = recall.search("What did we eat on 1 August 2023?", turns(talk.id), 2)
    assert {hit.passage.at.day for hit in hits} == {1}


def test_sittings_are_parted_by_silence(conversations: SqliteConversations, recall: SqliteRecall) -> None:
    pauses = {2: timedelta(minutes=59), 3: timedelta(hours=1), 5: timedelta(hours=-5)}
    talk = conversations.adopt("talk", "", messages(SAID, pauses))
    sittings = {hit.passage.text: hit.sitting for hit in recall.search("church", turns(talk.id))}
    assert [sittings[text] for text in SAID] == [0, 0, 0, 1, 1, 2]


def test_what_is_left_out_lends_its_words_and_is_not_found(
    conversations: SqliteConversations, recall: SqliteRecall
) -> None:
    said = messages(SAID)
    talk = conversations.adopt("talk", "", said)
    scope = Scope(conversation=talk.id, leaving_out=frozenset({said[0].id}), kinds=(PassageKind.TURN,))
    hits = recall.search("Who breeds alpacas?", scope)
    assert texts(hits)[0] == SAID[1]
    assert SAID[0] not in texts(hits)


def test_vectors_are_made_once_and_kept(
    conversations: SqliteConversations,
    recall: SqliteRecall,
    embedder: CountingEmbedder,
    database: Database,
) -> None:
    talk = conversations.adopt("talk", "", messages(SAID))
    recall.search("alpacas", turns(talk.id))
    assert sorted(embedder.given) == sorted([*SAID, "alpacas"])
    embedder.given.clear()
    recall.search("organs", turns(talk.id))
    SqliteRecall(database, lambda: embedder).search("land", turns(talk.id))
    assert embedder.given == ["organs", "land"]


def test_vectors_of_another_space_are_made_anew(
    conversations: SqliteConversations, recall: SqliteRecall, database: Database
) -> None:
    talk = conversations.adopt("talk", "", messages(SAID))
    recall.search("alpacas", turns(talk.id))
    other = CountingEmbedder("another")
    SqliteRecall(database, lambda: other).search("alpacas", turns(talk.id))
    assert sorted(other.given) == sorted([*SAID, "alpacas"])


def test_a_store_that_cannot_be_written_is_searched(
    conversations: SqliteConversations, recall: SqliteRecall, database: Database
) -> None:
    talk = conversations.adopt("talk", "", messages(SAID))
    with database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(2):
        assert texts(recall.search("alpacas", turns(talk.id), 1)) == [SAID[0]]


def test_what_is_said_later_is_found(conversations: SqliteConversations, recall: SqliteRecall) -> None:
    said = messages(SAID)
    talk = conversations.adopt("talk", "", said)
    recall.search("alpacas", turns(talk.id))
    later = Message(
        new_id(), said[-1].id, Role.USER, (Segment(Section.QUESTION, "Zeppelins fly."),), NOON, answered=False
    )
    conversations.append(talk.id, later)
    assert texts(recall.search("zeppelin", turns(talk.id), 1)) == ["Zeppelins fly."]


def test_what_another_connection_says_is_found(
    conversations: SqliteConversations, recall: SqliteRecall, path: Path
) -> None:
    talk = conversations.adopt("talk", "", messages(SAID))
    recall.search("alpacas", turns(talk.id))
    other = Database(path)
    SqliteConversations(other).delete(talk.id)
    other.close()
    assert recall.search("alpacas", turns(talk.id)) == []


def test_warming_imports_the_index_of_notes_once_there_are_notes(database: Database) -> None:
    index = NearestNotes()
    recall = SqliteRecall(database, lambda: SHIPPED, lambda: index)
    recall.warm()
    assert index.warmed == 0
    with database.writing() as connection:
        note_rows.begin_space(connection, "notes", SHIPPED.space)
        document = Document("a.md", "0", (Chunk(1, 1, SAID[0]),))
        note_rows.write_document(connection, "notes", document, SHIPPED.embed(SAID[:1]), SHIPPED.space)
    recall.warm()
    assert index.warmed == 1


def test_another_conversation_is_not_looked_into(
    conversations: SqliteConversations, recall: SqliteRecall
) -> None:
    talk = conversations.adopt("talk", "", messages(SAID))
    conversations.adopt("other", "", messages(["Alpacas everywhere, alpacas!"]))
    assert texts(recall.search("alpacas", turns(talk.id), 1)) == [SAID[0]]


@pytest.mark.parametrize(
    "query", ["", "  \n", "\0", "\"'*^{}()-+:", "OR AND(q z)", "what did you do", "\ud800"]
)
def test_any_query_is_searched_without_an_error(
    query: str, conversations: SqliteConversations, recall: SqliteRecall
) -> None:
    talk = conversations.adopt("talk", "", messages(SAID))
    assert all(hit.matched == 0 for hit in recall.search(query, turns(talk.id)))


def test_a_query_as_long_as_a_file_is_looked_for_by_both_its_ends(
    conversations: SqliteConversations, recall: SqliteRecall
) -> None:
    talk = conversations.adopt("talk", "", messages(SAID))
    query = " ".join(f"w{number}" for number in range(20_000)) + " alpacas"
    hits = recall.search(query, turns(talk.id))
    assert max(hits, key=lambda hit: hit.matched).passage.text == SAID[0]


def test_an_empty_store_holds_nothing(recall: SqliteRecall, embedder: CountingEmbedder) -> None:
    everything = Scope(collections=None, conversation="none")
    assert not recall.holds(everything)
    assert recall.search("alpacas", everything) == []
    assert embedder.given == []


def test_attached_text_is_found_beside_what_was_said(
    conversations: SqliteConversations, recall: SqliteRecall
) -> None:
    said = messages(SAID)
    talk = conversations.adopt("talk", "", said)
    chunks = [Chunk(1, 1, "Registration of organ pipes.\n"), Chunk(2, 2, "A page on cheese.\n")]
    conversations.keep_attached(said[2].id, "book.txt", chunks)
    hits = recall.search("organ pipes", Scope(conversation=talk.id))
    assert hits[0].passage.kind is PassageKind.DATA
    assert hits[0].passage.text.startswith("Registration")
    assert {hit.passage.kind for hit in hits} == {PassageKind.TURN, PassageKind.DATA}


@settings(max_examples=30, deadline=None)
@given(query=st.text(max_size=60))
def test_no_text_breaks_a_search(query: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    database = Database(tmp_path_factory.mktemp("store") / "store.db")
    talk = SqliteConversations(database).adopt("talk", "", messages(SAID))
    hits = SqliteRecall(database, lambda: SHIPPED).search(query, turns(talk.id))
    assert len(hits) in (0, len(SAID))
    assert all(0 <= hit.matched <= 1.0001 and -1.001 <= hit.cosine <= 1.001 for hit in hits)
    database.close()
