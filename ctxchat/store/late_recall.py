"""Recall that is opened when something is looked for: what it imports costs more than a start."""

from collections.abc import Callable, Sequence
from threading import Lock

from ctxchat.domain.passage import Hit, Scope
from ctxchat.domain.ports import Recall
from ctxchat.store.database import Database
from ctxchat.store.note_rows import spaces
from ctxchat.store.passages import holds


class LateRecall:
    """Implements `domain.ports.Recall` by another, which `open_recall` makes once."""

    def __init__(self, database: Database, open_recall: Callable[[], Recall]) -> None:
        self._database = database
        self._open_recall = open_recall
        self._lock = Lock()
        self._recall: Recall | None = None

    def warm(self, collections: Sequence[str] | None = None) -> None:
        self._opened().warm(collections)

    def collections(self, *, writes: bool = True) -> list[str]:  # noqa: ARG002 - nobody else is asked
        with self._database.reading() as connection:
            return list(spaces(connection))

    def remarks(self, collections: Sequence[str] | None = None) -> list[str]:
        return self._opened().remarks(collections)

    def stale(self) -> list[str]:
        return self._opened().stale()

    def repair(self) -> list[str]:
        return self._opened().repair()

    def holds(self, scope: Scope) -> bool:
        with self._database.reading() as connection:
            return holds(connection, scope)

    def search(self, query: str, scope: Scope, limit: int | None = None, *, writes: bool = True) -> list[Hit]:
        return self._opened().search(query, scope, limit, writes=writes)

    def _opened(self) -> Recall:
        with self._lock:
            if self._recall is None:
                self._recall = self._open_recall()
            return self._recall
