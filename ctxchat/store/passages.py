"""Passages as ranking needs them: where they stand, without their texts, and whole ones by their numbers.

Every function takes a connection of `Database.reading` (or `writing`), so that all that one search
reads is of one moment. A serial names a passage inside such a moment alone: SQLite gives the number of
a deleted one to a new one. What is kept for longer is kept by id.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from ctxchat.domain.conversation import Role
from ctxchat.domain.passage import Passage, PassageKind, Scope
from ctxchat.store.batches import batches, marks
from ctxchat.store.rows import as_text
from ctxchat.store.tree import WALK

_ALONG_PATH = """
    SELECT passage.serial, passage.id, passage.message, passage.kind, words, at, role, name, depth
    FROM path CROSS JOIN message USING (id) CROSS JOIN passage ON passage.message = path.id
    ORDER BY depth DESC, passage.serial
"""
# From the head back, so that the first row comes as soon as the window is left.
_FROM_HEAD = "SELECT DISTINCT path.id, kind FROM path CROSS JOIN passage ON passage.message = path.id"
_NOTES = """
    SELECT passage.serial, words, document, ordinal
    FROM document CROSS JOIN passage ON passage.document = document.id
"""
_OF_THIS_MACHINE = "WHERE collection NOT IN (SELECT collection FROM mirror)"
# The order of an index: what a search learns, and how it settles what is equal, is the same on every machine.
_IN_ORDER = "ORDER BY collection, document.source, ordinal"
_SERIALS = "SELECT id, serial FROM passage"
_WHOLE = """
    SELECT passage.serial, passage.id, kind, text, passage.source,
        coalesce(message.at, document.added), coalesce(mirror.name, document.collection), passage.message,
        role, message.name
    FROM passage
    LEFT JOIN message ON message.id = passage.message
    LEFT JOIN document ON document.id = passage.document
    LEFT JOIN mirror ON mirror.collection = document.collection
"""


class Place(NamedTuple):
    """A turn or a part of attached text on a conversation's path. `place` counts the messages along
    the path, 0 is the first that holds a passage."""

    serial: int
    id: str
    message: str
    kind: PassageKind
    words: int
    at: datetime
    role: Role
    name: str | None
    place: int


def along_path(connection: sqlite3.Connection, conversation: str) -> list[Place]:
    """Turns and attached text of a conversation from the root on; a turn before what came with it."""
    rows = connection.execute(f"{WALK} {_ALONG_PATH}", {"conversation": conversation}).fetchall()
    kinds, roles = {kind.value: kind for kind in PassageKind}, {role.value: role for role in Role}
    first = rows[0][-1] if rows else 0
    return [
        Place(
            serial,
            id_,
            message,
            kinds[kind],
            words,
            datetime.fromisoformat(at),
            roles[role],
            name,
            first - depth,
        )
        for serial, id_, message, kind, words, at, role, name, depth in rows
    ]


def notes_of(connection: sqlite3.Connection, collections: Sequence[str] | None) -> "array[int]":
    """Serial, words, document and ordinal of each note, one note behind the other: as int64 of the
    shape (notes, 4), by collection, source and ordinal. Of all collections of this machine where
    `collections` is None."""
    names = [as_text(name) for name in collections or ()]
    among = f"WHERE collection IN ({marks(names, 'CAST(? AS TEXT)')})"
    chosen = _OF_THIS_MACHINE if collections is None else among
    rows = connection.execute(f"{_NOTES} {chosen} {_IN_ORDER}", names)
    return array("q", chain.from_iterable(rows))


def passages_of(connection: sqlite3.Connection, serials: Iterable[int]) -> dict[int, Passage]:
    """Whole passages by their serials; one that is not there is left out."""
    return {
        row[0]: _passage(row)
        for batch in batches(serials)
        for row in connection.execute(f"{_WHOLE} WHERE passage.serial IN ({marks(batch)})", batch)
    }


def passage_of(connection: sqlite3.Connection, id_: str) -> Passage | None:
    row = connection.execute(f"{_WHOLE} WHERE passage.id = CAST(? AS TEXT)", (as_text(id_),)).fetchone()
    return row and _passage(row)


def serials_of(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, int]:
    """Serials by ids, as an index outside SQLite names its passages; one that is not there is left out."""
    return {
        id_: serial
        for batch in batches(ids)
        for id_, serial in connection.execute(f"{_SERIALS} WHERE id IN ({marks(batch)})", batch)
    }


def holds(connection: sqlite3.Connection, scope: Scope) -> bool:
    """Whether a search in the scope could find anything: a note of its collections, data of its
    conversation, or a turn that is not left out."""
    if PassageKind.NOTE in scope.kinds and _any_note(connection, scope.collections):
        return True
    if scope.conversation is None:
        return False
    rows = connection.execute(f"{WALK} {_FROM_HEAD}", {"conversation": scope.conversation})
    return any(
        kind in scope.kinds and (kind != PassageKind.TURN or message not in scope.leaving_out)
        for message, kind in rows
    )


def counts(connection: sqlite3.Connection) -> dict[PassageKind, int]:
    """How many passages of each kind there are."""
    rows = connection.execute("SELECT kind, count(*) FROM passage GROUP BY kind")
    return dict.fromkeys(PassageKind, 0) | {PassageKind(kind): amount for kind, amount in rows}


def _any_note(connection: sqlite3.Connection, collections: Sequence[str] | None) -> bool:
    if collections is None:
        return connection.execute(f"{_NOTES} {_OF_THIS_MACHINE} LIMIT 1").fetchone() is not None
    one = f"{_NOTES} WHERE collection = CAST(? AS TEXT) LIMIT 1"
    return any(connection.execute(one, (as_text(name),)).fetchone() for name in collections)


def _passage(row: Sequence[str]) -> Passage:
    _, id_, kind, text, source, at, collection, message, role, name = row
    return Passage(
        id_,
        PassageKind(kind),
        text,
        source,
        datetime.fromisoformat(at),
        collection,
        message,
        Role(role) if role else None,
        name,
    )
