"""Files made into documents, a batch at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from os import sep
from pathlib import Path

from ctxchat.context.chunks.chunk import chunks_of
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import Warned
from ctxchat.domain.passage import Changes, Document
from ctxchat.domain.ports import Notes
from ctxchat.service.documents.reading import UnreadableError, text_of
from ctxchat.service.documents.walk import Walk

_NOTES_AT_ONCE, _DOCUMENTS_AT_ONCE = 2000, 300
_NOT_UTF8 = "not valid UTF-8, read with replacement characters"
_OUTSIDE = "hidden, or no plain file, and left out"
_EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Progress:
    """Of `total` documents `done` were looked at, and what became of them is on the disk."""

    done: int
    total: int


class Adding:
    """One addition to a collection. Every document is read, cut and written before the next batch is
    read: however many there are, few are held."""

    def __init__(self, notes: Notes, collection: str) -> None:
        self._notes = notes
        self._collection = collection
        self._known = notes.hashes(collection)
        self._batch: list[Document] = []
        self._told: dict[str, list[str]] = {}
        self._gone: list[str] = []
        self._changes = Changes()

    def files(self, walk: Walk) -> Iterator[Progress | Warned | Changes]:
        """Raises UsageError where there is no text in any of them."""
        total = len(walk.files)
        texts = 0
        yield Progress(0, total)
        for number, path in enumerate(walk.files, start=1):
            texts += self._file(path)
            if self._is_full() or number == total:
                self._flush()
                yield Progress(number, total)
        self._remove(walk)
        self._tell(_OUTSIDE, [str(path) for path in walk.left_out])
        yield from self._warnings()
        if not texts and self._changes == Changes():
            raise UsageError("nothing was added: there is no text in what was named")
        yield self._changes

    def text(self, content: bytes, source: str) -> Iterator[Progress | Warned | Changes]:
        """Raises UsageError where there is no text."""
        try:
            if not self._document(content, source):
                raise UsageError(f"{source} is empty: there is nothing to add")
        except UnreadableError as error:
            raise UsageError(f"{source} is not text ({error}): nothing was added") from None
        self._flush()
        yield from self._warnings()
        yield self._changes

    def _file(self, path: Path) -> bool:
        """Whether there is text in a file. One without, that had some when it was added, is removed; one
        that cannot be read now stays as it was."""
        source = str(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            self._tell(f"cannot be read ({error.strerror}), and left out", [source])
            return False
        try:
            if self._document(content, source):
                return True
            self._tell(f"{_EMPTY}, and left out", [source])
        except UnreadableError as error:
            self._tell(f"{error}, and left out", [source])
        if source in self._known:
            self._gone.append(source)
        return False

    def _document(self, content: bytes, source: str) -> bool:
        """Take a text in, where it is not as it was. False where it is empty."""
        digest = sha256(content).hexdigest()
        if self._known.get(source) == digest:
            self._changes += Changes(unchanged=1)
            return True
        read = text_of(content, source)
        chunks = chunks_of(read.text, read.name)
        if not chunks:
            return False
        if read.replaced:
            self._tell(_NOT_UTF8, [source])
        self._batch.append(Document(source, digest, chunks))
        return True

    def _is_full(self) -> bool:
        notes = sum(len(document.chunks) for document in self._batch)
        return notes >= _NOTES_AT_ONCE or len(self._batch) >= _DOCUMENTS_AT_ONCE

    def _flush(self) -> None:
        if self._batch:
            self._notes.put(self._collection, self._batch)
        changed = sum(document.source in self._known for document in self._batch)
        notes = sum(len(document.chunks) for document in self._batch)
        self._changes += Changes(added=len(self._batch) - changed, changed=changed, notes=notes)
        self._batch = []

    def _remove(self, walk: Walk) -> None:
        """What was added from these folders before, and is gone."""
        there = {str(path) for path in walk.files}
        below = tuple(f"{str(folder).rstrip(sep)}{sep}" for folder in walk.folders)
        gone = [s for s in self._known if s.startswith(below) and s not in there] if below else []
        gone += self._gone
        if gone:
            self._notes.remove(self._collection, gone)
        self._changes = replace(self._changes, vanished=len(gone))

    def _tell(self, what: str, sources: Sequence[str]) -> None:
        if sources:
            self._told.setdefault(what, []).extend(sources)

    def _warnings(self) -> Iterator[Warned]:
        for what, sources in self._told.items():
            yield Warned(f"{what}: {', '.join(sources)}")
