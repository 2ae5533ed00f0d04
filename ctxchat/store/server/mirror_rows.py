"""A mirror as rows: the collections of a place, and the records that became passages.

In the table of collections a mirrored one stands under a key that no collection of this machine can have: its
name, and behind a character that nobody can type the place.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ctxchat.domain.passage import PassageKind
from ctxchat.domain.words import words
from ctxchat.store.batches import batches, marks
from ctxchat.store.rows import as_text

_APART = "\x1f"
_STATE = (
    "SELECT number, stamp, notes, looked, space FROM mirror JOIN collection ON collection.name = collection"
)
_BEGIN = """
    INSERT INTO mirror (collection, place, name, number) VALUES (CAST(? AS TEXT), ?, CAST(? AS TEXT), ?)
"""
_COLLECTION = "INSERT INTO collection (name, space) VALUES (CAST(? AS TEXT), ?)"
_SAME = "SELECT collection FROM mirror WHERE number = ? OR collection = CAST(? AS TEXT)"
_SEEN = "UPDATE mirror SET stamp = ?, notes = ?, looked = ? WHERE collection = CAST(? AS TEXT)"
_OF_COLLECTION = """
    FROM document JOIN passage ON passage.document = document.id
    JOIN mirrored ON mirrored.passage = passage.id
    WHERE collection = CAST(? AS TEXT)
"""
_DOCUMENT = """
    INSERT INTO document (collection, source, hash, added, indexed)
    VALUES (CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, 1)
"""
_PASSAGE = """
    INSERT INTO passage (id, kind, document, ordinal, source, words, space, vector, text)
    VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, CAST(? AS TEXT))
"""
_VECTORS = "SELECT id, vector FROM passage WHERE space = ? AND vector IS NOT NULL"
_MIRRORED = "INSERT INTO mirrored (passage, record, hash) VALUES (?, CAST(? AS TEXT), ?)"


class State(NamedTuple):
    """How a mirror was left. `stamp` is None where it was not looked through to the end."""

    number: str
    stamp: str | None
    notes: int
    looked: float
    space: str


class Row(NamedTuple):
    """A record as a passage; `vector` is None where its words alone count."""

    id: str
    source: str
    text: str
    record: str
    hash: str
    vector: bytes | None


class Known(NamedTuple):
    """A record that is mirrored."""

    source: str
    hash: str
    passage: str


def key_of(place: str, name: str) -> str:
    return f"{name}{_APART}{place}"


def names_at(connection: sqlite3.Connection, place: str) -> list[str]:
    rows = connection.execute("SELECT name FROM mirror WHERE place = ? ORDER BY name", (place,))
    return [name for (name,) in rows]


def state_of(connection: sqlite3.Connection, key: str) -> State | None:
    row = connection.execute(f"{_STATE} WHERE collection = CAST(? AS TEXT)", (as_text(key),)).fetchone()
    return row and State(*row)


def begin(connection: sqlite3.Connection, place: str, name: str, number: str, space: str) -> None:
    """Begin a mirror anew. Another one of the same collection goes: a server has several addresses, and a
    note is the same note by each."""
    key = key_of(place, name)
    for (other,) in connection.execute(_SAME, (number, as_text(key))).fetchall():
        drop(connection, other)
    connection.execute(_COLLECTION, (as_text(key), space))
    connection.execute(_BEGIN, (as_text(key), place, as_text(name), number))


def drop(connection: sqlite3.Connection, key: str) -> None:
    connection.execute("DELETE FROM collection WHERE name = CAST(? AS TEXT)", (as_text(key),))


def seen(connection: sqlite3.Connection, key: str, stamp: str | None, notes: int, looked: float) -> None:
    """Note what the server said of a collection that was looked through."""
    connection.execute(_SEEN, (stamp, notes, looked, as_text(key)))


def known_of(connection: sqlite3.Connection, key: str) -> dict[str, Known]:
    """What is mirrored of a collection, by its records."""
    rows = connection.execute(
        f"SELECT record, document.source, mirrored.hash, passage {_OF_COLLECTION}", (as_text(key),)
    )
    return {record: Known(*rest) for record, *rest in rows}


def vectors_of(connection: sqlite3.Connection, passages: Iterable[str], space: str) -> dict[str, bytes]:
    """Vectors that are here already, by the ids of their passages."""
    return {
        id_: vector
        for batch in batches(passages)
        for id_, vector in connection.execute(
            f"{_VECTORS} AND id IN ({marks(batch)})",
            (space, *batch),
        )
    }


def write_document(
    connection: sqlite3.Connection,
    key: str,
    source: str,
    tag: tuple[str, str],
    rows: Sequence[Row],
    space: str,
) -> None:
    """A document and its notes; `tag` is its hash and when it was added."""
    number = connection.execute(_DOCUMENT, (as_text(key), as_text(source), *tag)).lastrowid
    for ordinal, row in enumerate(rows):
        place = (row.id, PassageKind.NOTE, number, ordinal, as_text(row.source), len(words(row.text)))
        its_space = None if row.vector is None else space
        connection.execute(_PASSAGE, (*place, its_space, row.vector, as_text(row.text)))
        connection.execute(_MIRRORED, (row.id, as_text(row.record), row.hash))
