"""Notes as rows: collections, their documents, and the passages that these became."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ctxchat.domain.conversation import new_id
from ctxchat.domain.passage import Chunk, Document, Passage, PassageKind
from ctxchat.domain.words import words
from ctxchat.store.batches import batches, marks
from ctxchat.store.passages import passages_of
from ctxchat.store.rows import as_text, now

_STATE = """
    SELECT count(passage.serial), coalesce(max(added), '')
    FROM document LEFT JOIN passage ON passage.document = document.id WHERE collection = CAST(? AS TEXT)
"""
_SPACES = """
    SELECT name, space FROM collection WHERE name NOT IN (SELECT collection FROM mirror) ORDER BY name
"""
_HASHES = "SELECT source, hash FROM document WHERE collection = CAST(? AS TEXT)"
_BEGIN = """
    INSERT INTO collection (name, space) VALUES (CAST(? AS TEXT), ?)
    ON CONFLICT (name) DO UPDATE SET space = excluded.space
"""
_NONE_INDEXED = "UPDATE document SET indexed = 0 WHERE collection = CAST(? AS TEXT)"
_DOCUMENT = """
    INSERT INTO document (collection, source, hash, added)
    VALUES (CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?)
"""
_INSERT = "INSERT INTO passage (id, kind, document, ordinal, source, words, space, vector, text)"
_ROW = "(?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, CAST(? AS TEXT))"
_ROWS = 100  # of a statement
_IDS = """
    SELECT passage.id FROM document JOIN passage ON passage.document = document.id
    WHERE collection = CAST(? AS TEXT)
"""
_DELETE = "DELETE FROM document WHERE collection = CAST(? AS TEXT)"
_WITHOUT_NOTES = "DELETE FROM document WHERE NOT EXISTS (SELECT 1 FROM passage WHERE document = document.id)"
_WITHOUT_DOCUMENTS = "DELETE FROM collection WHERE name NOT IN (SELECT collection FROM document)"
_NOT_INDEXED = """
    SELECT id, (SELECT count(*) FROM passage WHERE document = document.id) FROM document
    WHERE NOT indexed AND collection = CAST(? AS TEXT) ORDER BY id
"""
_MARK_INDEXED = "UPDATE document SET indexed = 1 WHERE id = ?"
_MARK_NOT_INDEXED = """
    UPDATE document SET indexed = 0 WHERE id = (SELECT document FROM passage WHERE passage.id = ?)
"""
_STORED = "SELECT id, iif(space = ?, vector, NULL), text FROM passage"
_COLLECTIONS = """
    SELECT name, collection.space, count(passage.serial) FROM collection
    LEFT JOIN document ON document.collection = name LEFT JOIN passage ON passage.document = document.id
    WHERE name IN ({}) GROUP BY name ORDER BY name
"""
_SERIALS = """
    SELECT passage.serial FROM document JOIN passage ON passage.document = document.id
    WHERE collection IN ({}) ORDER BY collection, document.source, ordinal
"""
_BEGINNING = """
    SELECT passage.id FROM document JOIN passage ON passage.document = document.id
    WHERE substr(passage.id, 1, ?) = CAST(? AS TEXT) AND collection IN ({}) ORDER BY passage.id
"""
_VECTORS = """
    SELECT passage.id, vector FROM document JOIN passage ON passage.document = document.id
    WHERE collection = CAST(? AS TEXT) AND passage.space = ? AND vector IS NOT NULL
    ORDER BY document.source, ordinal
"""


class Stored(NamedTuple):
    """A note as it is indexed; `vector` is None where it is missing or of another space."""

    id: str
    vector: bytes | None
    text: str


def spaces(connection: sqlite3.Connection) -> dict[str, str]:
    """The vector space of each collection of this machine, by its name."""
    return dict(connection.execute(_SPACES).fetchall())


def collection_rows(connection: sqlite3.Connection, collections: Sequence[str]) -> list[tuple[str, str, int]]:
    """Name, space and number of notes of collections, by name."""
    return _among(connection, _COLLECTIONS, collections)


def state_of(connection: sqlite3.Connection, collection: str) -> str:
    """Changes with every change of a collection's notes: their number, and the time of the last
    that was added."""
    notes, added = connection.execute(_STATE, (as_text(collection),)).fetchone()
    return f"{notes} {added}"


def hashes_of(connection: sqlite3.Connection, collection: str) -> dict[str, str]:
    return dict(connection.execute(_HASHES, (as_text(collection),)).fetchall())


def begin_space(connection: sqlite3.Connection, collection: str, space: str) -> None:
    """Let a collection lie in a space, made if it is missing: nothing of it is indexed there yet."""
    connection.execute(_BEGIN, (as_text(collection), space))
    connection.execute(_NONE_INDEXED, (as_text(collection),))


def write_document(
    connection: sqlite3.Connection, collection: str, document: Document, vectors: Sequence[bytes], space: str
) -> None:
    """A document, not indexed yet, with a note for each of its chunks."""
    texts = (as_text(collection), as_text(document.source), as_text(document.hash))
    number = connection.execute(_DOCUMENT, (*texts, now())).lastrowid
    rows = (
        _row(number, ordinal, document.source, chunk, (space, vector))
        for ordinal, (chunk, vector) in enumerate(zip(document.chunks, vectors, strict=True))
    )
    for batch in batches(rows, _ROWS):
        values = [value for row in batch for value in row]
        connection.execute(f"{_INSERT} VALUES {marks(batch, _ROW)}", values)


def _row(
    document: int | None, ordinal: int, source: str, chunk: Chunk, vector: tuple[str, bytes]
) -> tuple[object, ...]:
    place = as_text(f"{source}:{chunk.first}-{chunk.last}")
    amount = len(words(chunk.text))
    return (new_id(), PassageKind.NOTE, document, ordinal, place, amount, *vector, as_text(chunk.text))


def delete_documents(connection: sqlite3.Connection, collection: str, sources: Iterable[str]) -> list[str]:
    """Delete documents by their sources; the ids of the notes they had."""
    gone: list[str] = []
    for batch in batches(map(as_text, sources)):
        among = f"AND document.source IN ({marks(batch, 'CAST(? AS TEXT)')})"
        values = (as_text(collection), *batch)
        gone += _first(connection.execute(f"{_IDS} {among}", values))
        connection.execute(f"{_DELETE} {among}", values)
    return gone


def delete_empty(connection: sqlite3.Connection) -> None:
    """Delete documents without notes, and collections without documents."""
    connection.execute(_WITHOUT_NOTES)
    connection.execute(_WITHOUT_DOCUMENTS)


def ids_of(connection: sqlite3.Connection, collection: str) -> list[str]:
    return _first(connection.execute(_IDS, (as_text(collection),)))


def not_indexed(connection: sqlite3.Connection, collection: str, notes: int) -> list[int]:
    """Documents that Chroma does not hold whole, oldest first: as many as have so many notes, one at
    the least."""
    chosen: list[int] = []
    for number, amount in connection.execute(_NOT_INDEXED, (as_text(collection),)):
        notes -= amount
        if chosen and notes < 0:
            break
        chosen.append(number)
    return chosen


def stored_notes(connection: sqlite3.Connection, documents: Sequence[int], space: str) -> list[Stored]:
    return [
        Stored(*row)
        for batch in batches(documents)
        for row in connection.execute(f"{_STORED} WHERE document IN ({marks(batch)})", (space, *batch))
    ]


def mark_indexed(connection: sqlite3.Connection, documents: Iterable[int]) -> None:
    connection.executemany(_MARK_INDEXED, ((document,) for document in documents))


def mark_not_indexed(connection: sqlite3.Connection, notes: Iterable[str]) -> None:
    """Let the documents of these notes be indexed again."""
    connection.executemany(_MARK_NOT_INDEXED, ((note,) for note in notes))


def notes_listed(connection: sqlite3.Connection, collections: Sequence[str]) -> list[Passage]:
    serials = [serial for (serial,) in _among(connection, _SERIALS, collections)]
    found = passages_of(connection, serials)
    return [found[serial] for serial in serials]


def notes_beginning(connection: sqlite3.Connection, beginning: str, collections: Sequence[str]) -> list[str]:
    """Ids of notes of collections that begin like this."""
    return _first(_among(connection, _BEGINNING, collections, len(beginning), as_text(beginning)))


def vectors_in(
    connection: sqlite3.Connection, collection: str, space: str
) -> Iterator[list[tuple[str, bytes]]]:
    """Ids and vectors of a collection in a space, some thousand at a time."""
    yield from batches(connection.execute(_VECTORS, (as_text(collection), space)), 4096)


def _among(
    connection: sqlite3.Connection, statement: str, collections: Sequence[str], *values: object
) -> list[Any]:
    """The rows of a statement that names collections last."""
    names = [as_text(name) for name in collections]
    among = statement.format(marks(names, "CAST(? AS TEXT)"))
    return connection.execute(among, (*values, *names)).fetchall()


def _first(rows: Iterable[Sequence[str]]) -> list[str]:
    return [row[0] for row in rows]
