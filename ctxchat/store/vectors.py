"""Vectors beside the texts of passages: little-endian float16, of length 1, each of one space."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ctxchat.store.batches import batches, marks

_VECTORS = "SELECT serial, vector FROM passage WHERE space = ? AND vector IS NOT NULL"
_WITHOUT = "SELECT serial, id, text FROM passage WHERE (space IS NOT ? OR vector IS NULL)"


class Unembedded(NamedTuple):
    """A passage that has no vector in the space that was asked for."""

    serial: int
    id: str
    text: str


def vectors_of(connection: sqlite3.Connection, serials: Iterable[int], space: str) -> dict[int, bytes]:
    """Vectors of a space by serial; a passage without one there is left out."""
    return {
        serial: vector
        for batch in batches(serials)
        for serial, vector in connection.execute(
            f"{_VECTORS} AND serial IN ({marks(batch)})",
            (space, *batch),
        )
    }


def without_vectors(connection: sqlite3.Connection, serials: Iterable[int], space: str) -> list[Unembedded]:
    """Those of these passages whose vector is missing or of another space."""
    return [
        Unembedded(*row)
        for batch in batches(serials)
        for row in connection.execute(
            f"{_WITHOUT} AND serial IN ({marks(batch)})",
            (space, *batch),
        )
    ]


def keep_vectors(connection: sqlite3.Connection, space: str, vectors: Mapping[str, bytes]) -> None:
    """Write vectors by the ids of their passages; those of passages deleted meanwhile are passed over.

    By ids, because texts are embedded outside a transaction, and a serial may be another's by then.
    """
    connection.executemany(
        "UPDATE passage SET space = ?, vector = ? WHERE id = ?",
        ((space, vector, id_) for id_, vector in vectors.items()),
    )
