"""Recall over the mirror of a server's notes, brought up to date before it is searched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ctxchat.domain.errors import NotesUnreachableError
from ctxchat.domain.passage import Hit, PassageKind, Scope
from ctxchat.domain.ports import Recall

if TYPE_CHECKING:
    from ctxchat.store.server.notes import ServerNotes

TURN_SECONDS = 5.0
"""How long a turn waits for the server at the most; what was fetched by then stays."""

_NOBODY_ASKED = "the notes' server is not asked without a turn: they are searched as they were seen last"


@dataclass
class ServerRecall:
    """Implements `domain.ports.Recall` over another one, which searches the store. It waits for the server
    for so many seconds, None where a person asks for nothing else."""

    recall: Recall
    open_notes: "Callable[[], ServerNotes]"
    seconds: float | None

    @cached_property
    def _notes(self) -> "ServerNotes":
        return self.open_notes()

    def warm(self, collections: Sequence[str] | None = None) -> None:
        self.recall.warm()
        self._notes.catch_up(collections, self.seconds)

    def collections(self, *, writes: bool = True) -> list[str]:
        if not writes:
            raise NotesUnreachableError(_NOBODY_ASKED)
        self._notes.catch_up(None, self.seconds)
        return self._notes.names()

    def remarks(self, collections: Sequence[str] | None = None) -> list[str]:
        return self._notes.remarks(collections)

    def stale(self) -> list[str]:
        return []

    def repair(self) -> list[str]:
        return []

    def holds(self, scope: Scope) -> bool:
        """Only the server knows whether there are notes, and it is asked by whoever searches."""
        return _wants_notes(scope) or self.recall.holds(scope)

    def search(self, query: str, scope: Scope, limit: int | None = None, *, writes: bool = True) -> list[Hit]:
        if not _wants_notes(scope):
            return self.recall.search(query, scope, limit, writes=writes)
        if writes:
            self._notes.catch_up(scope.collections, self.seconds)
        keys = tuple(self._notes.keys(scope.collections))
        return self.recall.search(query, replace(scope, collections=keys), limit, writes=writes)


def _wants_notes(scope: Scope) -> bool:
    return PassageKind.NOTE in scope.kinds and scope.collections != ()
