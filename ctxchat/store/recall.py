"""Passages found by a question: over all that was said in a conversation, and the notes near to it."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from threading import RLock
from typing import Protocol

import numpy as np

from ctxchat.domain.errors import StoreError
from ctxchat.domain.passage import Hit, PassageKind, Scope
from ctxchat.domain.ports import Embedder
from ctxchat.domain.words import content_words
from ctxchat.store.database import Database
from ctxchat.store.grounds import read_part
from ctxchat.store.note_rows import spaces
from ctxchat.store.passages import holds
from ctxchat.store.postings import stems_of
from ctxchat.store.searching import Field, Query, Search
from ctxchat.store.vectors import keep_vectors

NEAREST = 200
"""Notes that the index of vectors is asked for."""

MOST_WORDS = 200
"""Words of a question that are looked up. One with more is a text that was pasted: then those at both
of its ends."""

_IN_SPACE = "SELECT name FROM collection WHERE space = ?"


class NearNotes(Protocol):
    """Finds notes by vectors, through indexes that can be damaged."""

    def warm(self) -> None:
        """Import what that needs."""

    def nearest(
        self, collections: tuple[str, ...], vector: bytes, limit: int, *, indexed: bool = True
    ) -> list[str]:
        """Ids of the notes of collections that are nearest to a vector of their space. An index changes its
        files also where it is only read; it is left alone where it is not to be looked at."""

    def disagreeing(self) -> list[str]: ...

    def repair(self) -> list[str]: ...


class SqliteRecall:
    """Implements `domain.ports.Recall` over the store. `open_embedder` and `open_index` are called when
    they are first needed: the index not before there are notes to search. Without one, notes are found
    by their words alone.

    All turns of a conversation are scored. Their vectors are made at the first search and kept, where
    the store can be written. What was read serves the searches that follow, until the store changes.
    """

    def __init__(
        self,
        database: Database,
        open_embedder: Callable[[], Embedder],
        open_index: Callable[[], NearNotes] | None = None,
    ) -> None:
        self._database = database
        self._open_embedder = open_embedder
        self._open_index = open_index
        self._lock = RLock()
        self._stamp: tuple[int, ...] = ()
        self._fields: dict[object, Field] = {}

    @cached_property
    def _embedder(self) -> Embedder:
        return self._open_embedder()

    @cached_property
    def _index(self) -> NearNotes | None:
        return self._open_index() if self._open_index else None

    def warm(self, collections: Sequence[str] | None = None) -> None:  # noqa: ARG002 - it imports alone
        with self._lock:
            self._embedder.embed(["warm"])
            if self.holds(Scope(None, kinds=(PassageKind.NOTE,))) and self._index:
                self._index.warm()

    def collections(self, *, writes: bool = True) -> list[str]:  # noqa: ARG002 - nobody else is asked
        with self._database.reading() as connection:
            return list(spaces(connection))

    def remarks(self, collections: Sequence[str] | None = None) -> list[str]:  # noqa: ARG002 - it has none
        return []

    def stale(self) -> list[str]:
        return self._index.disagreeing() if self._index else []

    def repair(self) -> list[str]:
        return self._index.repair() if self._index else []

    def holds(self, scope: Scope) -> bool:
        with self._database.reading() as connection:
            return holds(connection, scope)

    def search(self, query: str, scope: Scope, limit: int | None = None, *, writes: bool = True) -> list[Hit]:
        if not query.strip() or not self.holds(scope):
            return []
        with self._lock:
            bits = self._embedder.embed([query])[0]
            vector = np.frombuffer(bits, "<f2").astype(np.float32)
            with self._database.reading() as connection:
                field = self._field(connection, scope)
                stems = list(dict.fromkeys(stems_of(connection, [_looked_up(query)])[0]))
                search = Search(connection, self._embedder, field, Query(query, stems, vector), scope)
                near = self._nearest(connection, field, scope, bits, indexed=writes)
                hits = search.hits(near, limit)
                self._stamp = _stamp(connection)
            if writes:
                self._keep(search.made)
        return hits

    def _field(self, connection: sqlite3.Connection, scope: Scope) -> Field:
        """What the scope reaches, read anew where the store has changed since."""
        if self._stamp != _stamp(connection):
            self._fields.clear()
        key = (scope.conversation, scope.collections, scope.kinds)
        if key not in self._fields:
            self._fields.clear()
            self._fields[key] = Field(read_part(connection, scope))
        return self._fields[key]

    def _nearest(
        self, connection: sqlite3.Connection, field: Field, scope: Scope, vector: bytes, *, indexed: bool
    ) -> list[str]:
        """Notes by the index, in those collections whose vectors lie in the embedder's space."""
        if not field.part.notes or self._index is None:
            return []
        names = [name for (name,) in connection.execute(_IN_SPACE, (self._embedder.space,))]
        among = spaces(connection) if scope.collections is None else scope.collections
        chosen = tuple(name for name in names if name in among)
        return self._index.nearest(chosen, vector, NEAREST, indexed=indexed) if chosen else []

    def _keep(self, made: dict[str, bytes]) -> None:
        """Write vectors that were made. Where that cannot be done they will be made again."""
        if not made:
            return
        with suppress(StoreError), self._database.writing() as connection:
            unchanged = self._stamp == _stamp(connection)
            keep_vectors(connection, self._embedder.space, made)
            if unchanged:
                self._stamp = _stamp(connection)


def _looked_up(query: str) -> str:
    """The words of a question that say what it is about, each once."""
    content = list(dict.fromkeys(word.removesuffix("'s") for word in content_words(query)))
    if len(content) > MOST_WORDS:
        content = content[: MOST_WORDS // 2] + content[-MOST_WORDS // 2 :]
    return " ".join(content)


def _stamp(connection: sqlite3.Connection) -> tuple[int, ...]:
    """Changes whenever what the connection reads may have changed, by whomever."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return (id(connection), version, connection.total_changes)
