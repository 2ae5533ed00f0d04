"""Notes as a person uses them: files added, found, listed and removed."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import Warned
from ctxchat.domain.passage import (
    Changes,
    Collection,
    Hit,
    Passage,
    PassageKind,
    Scope,
)
from ctxchat.domain.ports import Notes, Recall
from ctxchat.service.adding import Adding, Progress
from ctxchat.service.collections import require
from ctxchat.service.counting import TokenCounter
from ctxchat.service.documents.walk import walk

HITS = 10
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class FoundNote:
    """A note that was found; `tokens` is None where no model is known to count for."""

    hit: Hit
    tokens: int | None


class NoteService:
    """Notes in collections. All raise UsageError for what a person named wrongly, and StoreError."""

    def __init__(self, notes: Notes, recall: Recall, counter: TokenCounter) -> None:
        self._notes = notes
        self._recall = recall
        self._counter = counter

    def add(self, paths: Sequence[str], collection: str) -> Iterator[Progress | Warned | Changes]:
        """Make notes of files, and of those below folders. Ends with what was changed.

        Unchanged files are skipped by their hash. Of a folder, files are removed that were added from
        it before and are gone. Each batch that was counted in Progress is kept, whatever comes after.
        """
        found = walk([Path(os.path.abspath(path)) for path in paths])  # noqa: PTH100 - links stay
        checked_collection(collection)
        yield from map(Warned, self._notes.repair())
        yield from Adding(self._notes, collection).files(found)

    def add_text(self, text: bytes, source: str, collection: str) -> Iterator[Progress | Warned | Changes]:
        """Make notes of a text that came by a pipe, under a name for it."""
        checked_collection(collection)
        yield from map(Warned, self._notes.repair())
        yield from Adding(self._notes, collection).text(text, source)

    def search(
        self, query: str, collections: Sequence[str], *, most: int | None = None, budget: int | None = None
    ) -> list[FoundNote]:
        """Notes of these collections, or of all where none is named, best first: at most `most` (10
        where there is no budget either), and with a `budget` those that it holds; what does not fit is
        skipped. Raises ModelError where tokens are needed and there is no model."""
        self.require(collections)
        if not query.strip():
            return []
        scope = Scope(collections=tuple(collections) or None, kinds=(PassageKind.NOTE,))
        if budget is None:
            hits = self._recall.search(query, scope, HITS if most is None else most)
            return [FoundNote(hit, self._counter.known(hit.passage.text)) for hit in hits]
        return list(self._packed(self._recall.search(query, scope), budget))[:most]

    def repair(self) -> list[str]:
        """A line for each collection whose index had to be made again."""
        return self._notes.repair()

    def listing(self, collection: str | None) -> list[Passage]:
        """Notes by collection, document and place."""
        self.require([collection] if collection is not None else [])
        return self._notes.listing(collection)

    def tokens(self, note: Passage) -> int | None:
        """None where no model is known."""
        return self._counter.known(note.text)

    def collections(self) -> list[Collection]:
        return self._notes.collections()

    def remove(self, names: Sequence[str], collection: str | None) -> int:
        """Remove notes, and count them: by their ids (or beginnings of ids), by the files or folders
        they were made from; a whole collection where nothing else is named."""
        self.require([collection] if collection is not None else [])
        if not names:
            if collection is None:
                raise UsageError("nothing was named: give a note's id, a path, or a --collection")
            return self._notes.remove(collection, list(self._notes.hashes(collection)))
        within = [c.name for c in self._notes.collections() if collection in (None, c.name)]
        return sum(self._remove(name, within) for name in names)

    def require(self, collections: Sequence[str]) -> None:
        """Raises UsageError for a collection that there is not."""
        if collections:
            require(collections, [found.name for found in self._notes.collections()])

    def _remove(self, name: str, collections: Sequence[str]) -> int:
        path = os.path.abspath(name)  # noqa: PTH100 - links stay
        removed = 0
        for collection in collections:
            sources = [
                source
                for source in self._notes.hashes(collection)
                if source in (name, path) or source.startswith(f"{path.rstrip(os.sep)}{os.sep}")
            ]
            removed += self._notes.remove(collection, sources) if sources else 0
        if removed:
            return removed
        if not any(note.id.startswith(name) for found in collections for note in self._notes.listing(found)):
            raise UsageError(f'no note has the id or the source "{name}": ctxchat notes list shows them all')
        self._notes.forget(name)
        return 1

    def _packed(self, hits: Sequence[Hit], budget: int) -> Iterator[FoundNote]:
        for hit in hits:
            tokens = self._counter.count(hit.passage.text)
            if tokens <= budget:
                budget -= tokens
                yield FoundNote(hit, tokens)


def checked_collection(name: str) -> str:
    """Raises UsageError for a name that cannot be a collection's."""
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"a collection's name is 1 to {_LONGEST_NAME} characters that can be seen, and not {name!r}"
        )
    return name
