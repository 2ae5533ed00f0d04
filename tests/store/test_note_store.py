"""Notes in SQLite and in a real Chroma beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.domain.errors import NotesBusyError, UsageError
from ctxchat.domain.passage import Chunk, Document
from ctxchat.store.database import Database
from ctxchat.store.locks import locked
from ctxchat.store.note_store import SqliteNotes
from ctxchat.store.notes import folder_name, index_at
from tests.support.word_embedder import WordEmbedder

EMBEDDER = WordEmbedder()


def document(source: str, *texts: str) -> Document:
    chunks = (Chunk(place, place, text) for place, text in enumerate(texts, start=1))
    return Document(source, f"hash of {texts}", tuple(chunks))


def store(path: Path, embedder: WordEmbedder = EMBEDDER) -> SqliteNotes:
    return SqliteNotes(Database(path), lambda: embedder, wait=0.1)


@pytest.fixture
def notes(path: Path) -> Iterator[SqliteNotes]:
    notes = store(path)
    notes.put("work", [document("a.md", "the invoice is due in March", "snakes like warm stones")])
    yield notes
    for folder in (path.parent / "chroma").glob("*"):
        index_at(folder).close()


def found(notes: SqliteNotes, query: str, *collections: str, limit: int = 1) -> list[str]:
    """Texts of the nearest notes."""
    texts = {note.id: note.text for note in notes.listing()}
    vector = EMBEDDER.embed([query])[0]
    return [texts[id_] for id_ in notes.nearest(collections or None, vector, limit)]


def indexed(notes: SqliteNotes, path: Path, collection: str = "work") -> bool:
    """Whether Chroma holds the ids of the store, and no others."""
    index = index_at(path.parent / "chroma" / folder_name(collection, EMBEDDER.space))
    return set(index.ids()) == {note.id for note in notes.listing(collection)} and not notes.disagreeing()


def test_what_was_put_is_listed_and_found(notes: SqliteNotes, path: Path) -> None:
    assert [(n.collection, n.source, n.text) for n in notes.listing()] == [
        ("work", "a.md:1-1", "the invoice is due in March"),
        ("work", "a.md:2-2", "snakes like warm stones"),
    ]
    assert found(notes, "when is the invoice due?") == ["the invoice is due in March"]
    assert found(notes, "snakes", limit=9)[0] == "snakes like warm stones"
    assert indexed(notes, path)
    assert (path.parent / "chroma").stat().st_mode & 0o777 == 0o700


def test_another_process_finds_what_this_one_has_put(notes: SqliteNotes, path: Path) -> None:
    other = store(path)
    assert found(other, "invoice") == ["the invoice is due in March"]
    notes.put("work", [document("b.md", "invoice invoice")])
    assert found(other, "invoice") == ["invoice invoice"]


def test_a_document_takes_the_place_of_the_one_before(notes: SqliteNotes, path: Path) -> None:
    notes.put("work", [document("a.md", "the invoice was paid"), document("a.md", "the invoice was lost")])
    assert [note.text for note in notes.listing()] == ["the invoice was lost"]
    assert notes.hashes("work") == {"a.md": "hash of ('the invoice was lost',)"}
    assert indexed(notes, path)


def test_many_documents_are_written_in_batches(notes: SqliteNotes, path: Path) -> None:
    notes.put("many", (document(f"{n}.md", f"word{n} text", "more") for n in range(700)))
    assert len(notes.listing("many")) == 1400
    assert len(found(notes, "word431", "many", limit=50)) == 50
    assert indexed(notes, path, "many")


def test_a_collection_that_becomes_empty_is_gone(notes: SqliteNotes, path: Path) -> None:
    assert notes.remove("work", ["a.md", "none.md"]) == 2
    assert notes.collections() == []
    assert found(notes, "invoice") == []
    assert list((path.parent / "chroma").iterdir()) == []


def test_nothing_put_makes_no_collection(notes: SqliteNotes) -> None:
    notes.put("none", [])
    assert [collection.name for collection in notes.collections()] == ["work"]


def test_a_note_is_forgotten_by_the_beginning_of_its_id(notes: SqliteNotes, path: Path) -> None:
    first, second = notes.listing()
    assert notes.forget(first.id[:8]).text == first.text
    assert notes.listing() == [second]
    assert indexed(notes, path)
    with pytest.raises(UsageError, match="no note"):
        notes.forget(first.id)
    with pytest.raises(UsageError):
        notes.forget("")


def test_names_and_texts_are_any_text(notes: SqliteNotes) -> None:
    name, text = "Ärger & Söhne/…", "lone \ud800 surrogate, a \0 and \x1b[31m"
    notes.put(name, [document("ein Dateiname", text)])
    assert [note.text for note in notes.listing(name)] == [text]
    assert found(notes, "lone surrogate", name) == [text]
    assert found(notes, "invoice", name) == [text]


def test_the_collections_of_another_embedder_are_left_out_until_they_are_embedded_anew(
    notes: SqliteNotes, path: Path
) -> None:
    other = WordEmbedder(space="other", dimensions=32)
    changed = store(path, other)
    vector = other.embed(["invoice"])[0]
    assert changed.nearest(None, vector, 5) == []
    assert ["embedded anew" in line for line in changed.repair()] == [True]
    texts = {note.id: note.text for note in changed.listing()}
    assert texts[changed.nearest(None, vector, 1)[0]] == "the invoice is due in March"
    assert changed.collections()[0].space == "other"
    assert changed.repair() == []
    assert len(list((path.parent / "chroma").iterdir())) == 1


def test_a_writer_waits_for_another_and_names_it(notes: SqliteNotes, path: Path) -> None:
    with locked(path.parent / "locks" / "notes", 0.1):
        with pytest.raises(NotesBusyError, match=r"process \d+"):
            notes.put("work", [document("b.md", "text")])
        assert found(notes, "invoice") == ["the invoice is due in March"]
    notes.put("work", [document("b.md", "text")])


def test_a_forgotten_text_is_in_no_file(notes: SqliteNotes, path: Path) -> None:
    notes.put("memory", [document("m", "the password is hunter2"), document("n", "keep this")])
    notes.forget(notes.listing("memory")[0].id)
    files = [file for file in path.parent.rglob("*") if file.is_file()]
    assert [file for file in files if b"hunter2" in file.read_bytes()] == []
    assert any(b"keep this" in file.read_bytes() for file in files)
