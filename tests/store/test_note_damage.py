"""What becomes of Chroma's folder: the notes are found before it is mended, and after."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxchat.domain.errors import StoreError
from ctxchat.domain.passage import Chunk, Document
from ctxchat.store.chroma_library import IndexFailedError
from ctxchat.store.database import Database
from ctxchat.store.note_store import SqliteNotes
from ctxchat.store.notes import NoteIndex, folder_name, index_at
from tests.support.word_embedder import WordEmbedder

EMBEDDER = WordEmbedder()
TEXTS = [f"word{number} is here" for number in range(1200)]
"""Enough that Chroma writes its HNSW files."""


@pytest.fixture
def notes(path: Path) -> Iterator[SqliteNotes]:
    chunks = tuple(Chunk(number, number, text) for number, text in enumerate(TEXTS))
    notes = SqliteNotes(Database(path), lambda: EMBEDDER)
    notes.put("work", [Document("a.md", "1", chunks)])
    yield notes
    index(path).close()


def index(path: Path) -> NoteIndex:
    return index_at(path.parent / "chroma" / folder_name("work", EMBEDDER.space))


def are_found(notes: SqliteNotes) -> bool:
    """Whether as many as are asked for are found, and are notes."""
    nearest = notes.nearest(None, EMBEDDER.embed(["word77"])[0], 50)
    return len(nearest) == 50 and set(nearest) <= {note.id for note in notes.listing()}


def gone(folder: Path) -> None:
    shutil.rmtree(folder.parent)


def a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no folder")


def without_sqlite(folder: Path) -> None:
    (folder / "chroma.sqlite3").unlink()


def garbage_in_sqlite(folder: Path) -> None:
    _write(folder / "chroma.sqlite3", 40_000, os.urandom(60_000))


def empty_sqlite(folder: Path) -> None:
    (folder / "chroma.sqlite3").write_bytes(b"")


def garbage_in_hnsw(folder: Path) -> None:
    """Chroma would end the process when it reads this."""
    _write(next(folder.glob("*/data_level0.bin")), 1000, os.urandom(100_000))


def cut_hnsw(folder: Path) -> None:
    os.truncate(next(folder.glob("*/data_level0.bin")), 1000)


def without_hnsw(folder: Path) -> None:
    """Chroma would find some of the notes and say nothing."""
    shutil.rmtree(next(folder.glob("*/")))


def unsealed(folder: Path) -> None:
    """As a process that was killed while it wrote leaves it."""
    (folder / "sealed").unlink()


def _write(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


@pytest.mark.parametrize(
    "damage",
    [
        gone,
        a_file,
        without_sqlite,
        garbage_in_sqlite,
        empty_sqlite,
        garbage_in_hnsw,
        cut_hnsw,
        without_hnsw,
        unsealed,
    ],
)
def test_an_index_that_is_not_as_it_was_left_is_built_again_and_that_is_said(
    notes: SqliteNotes, path: Path, damage: Callable[[Path], None]
) -> None:
    damage(index(path).folder)
    assert notes.disagreeing() == ["work"]
    assert are_found(notes)
    lines = notes.repair()
    assert len(lines) == 1
    assert '"work"' in lines[0]
    assert "no note is lost" in lines[0]
    assert notes.disagreeing() == notes.repair() == []
    assert set(index(path).ids()) == {note.id for note in notes.listing()}
    assert are_found(notes)


def test_what_was_not_indexed_before_a_death_is_indexed_by_whoever_comes_next(
    notes: SqliteNotes, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(NoteIndex, "upsert", dies)
        with pytest.raises(KeyboardInterrupt):
            notes.put("work", [Document("b.md", "2", (Chunk(1, 1, "late"),))])
    assert notes.disagreeing() == ["work"]
    notes.put("work", [Document("c.md", "3", (Chunk(1, 1, "later"),))])
    assert notes.disagreeing() == []
    assert len(index(path).ids()) == len(TEXTS) + 2


def test_a_store_put_back_from_a_backup_takes_out_of_the_index_what_it_does_not_know(
    notes: SqliteNotes, path: Path
) -> None:
    state = index(path)
    notes.put("work", [Document("b.md", "2", (Chunk(1, 1, "late"),))])
    with Database(path).writing() as connection:
        connection.execute("DELETE FROM document WHERE source = 'b.md'")
    assert notes.disagreeing() == ["work"]
    assert ["behind" in line for line in notes.repair()] == [True]
    assert len(state.ids()) == len(TEXTS)


def test_an_index_that_cannot_be_written_loses_no_note(
    notes: SqliteNotes, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise IndexFailedError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(NoteIndex, "upsert", full)
        with pytest.raises(StoreError, match="disk is full"):
            notes.put("work", [Document("b.md", "2", (Chunk(1, 1, "kept"),))])
    assert "kept" in {note.text for note in notes.listing()}
    assert are_found(notes)
    assert len(notes.repair()) == 1
    assert are_found(notes)
