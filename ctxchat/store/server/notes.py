"""Notes on a Chroma server, which is the truth, and in a mirror that is brought up to date on use."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from ctxchat.domain.conversation import new_id
from ctxchat.domain.errors import CtxChatError, NotesBusyError, NotesUnreachableError, StoreError
from ctxchat.domain.passage import Collection, Document, Hashes, Passage
from ctxchat.domain.ports import Embedder
from ctxchat.store import note_rows
from ctxchat.store.chroma_library import library
from ctxchat.store.database import Database
from ctxchat.store.exact import nearest_of
from ctxchat.store.failures import told_plainly
from ctxchat.store.locks import HeldError, locked
from ctxchat.store.note_indexes import embedded
from ctxchat.store.note_store import document_batches, forget_note, the_note
from ctxchat.store.rows import now
from ctxchat.store.server import mirror_rows
from ctxchat.store.server.absence import Absence
from ctxchat.store.server.client import ChromaServer, ServerCollection
from ctxchat.store.server.mirror import Mirror
from ctxchat.store.server.records import Record, records_of

_FRESH_SECONDS = 1.0
"""What was looked at so shortly ago is not looked at again: one turn asks several times."""


class ServerNotes:
    """Implements `domain.ports.Notes`, and `NearNotes` of recall. `embedder` is called before Chroma is
    imported; `wait` is for how many seconds a writer waits for another process of this machine.
    `forget_cells` is called with each conversation whose KV snapshots may hold what is being forgotten."""

    def __init__(
        self,
        database: Database,
        embedder: Callable[[], Embedder],
        server: ChromaServer,
        absence: Absence,
        *,
        wait: float = 5.0,
        forget_cells: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._server = server
        self._absence = absence
        self._wait = wait
        self._forget_cells = forget_cells
        self._mirror = Mirror(database, server.address.place)
        self._looked: dict[tuple[str, ...] | None, float] = {}

    def catch_up(self, collections: Sequence[str] | None = None, seconds: float | None = None) -> None:
        """Bring the mirror of collections (all of them where it is None) up to date. With `seconds` it takes
        no longer than about that, and a server that could not be asked shortly ago is not asked."""
        self._server.require_online()
        names = None if collections is None else tuple(collections)
        if any(time.monotonic() - self._looked.get(key, -1e9) < _FRESH_SECONDS for key in (None, names)):
            return
        if seconds is not None and (line := self._absence.line()):
            raise NotesUnreachableError(line)
        try:
            with self._alone(seconds) as embedder:
                self._look(names, embedder)
        except CtxChatError as error:
            if not isinstance(error, NotesBusyError):
                self._absence.begin(str(error))
            if seconds is None:
                raise
            raise NotesUnreachableError(str(error)) from error
        self._absence.end()
        self._looked[names] = time.monotonic()

    def hashes(self, collection: str) -> Hashes:
        self.catch_up([collection])
        with self._database.reading() as connection:
            return note_rows.hashes_of(connection, self._mirror.key(collection))

    def put(self, collection: str, documents: Iterable[Document]) -> None:
        with self._writing() as embedder:
            found = self._found(collection) or self._server.create(collection, embedder.space)
            found = self._in_space(found, embedder.space)
            self._mirror.catch_up(found, embedder)
            self._mirror.begin(found, embedder.space)
            for batch in document_batches(documents):
                self._put(found, batch, embedder)
            self._mark(found, embedder.space)

    def remove(self, collection: str, sources: Sequence[str]) -> int:
        with self._writing() as embedder:
            found = self._found(collection)
            if found is None:
                return 0
            self._mirror.catch_up(found, embedder)
            named = set(sources)
            gone = [r for r, known in self._mirror.known(collection).items() if known.source in named]
            found.delete(gone)
            self._mirror.remove(sources, collection)
            self._mark(found, found.space)
        return len(gone)

    def forget(self, note: str) -> Passage:
        """On the server, and here also in the messages in which it was recalled, and in the summaries of
        their conversations."""
        self.catch_up()
        with self._writing() as embedder:
            keys = self.keys()
            with self._database.reading() as connection:
                passage = the_note(connection, note, keys)
            assert passage.collection is not None
            found = self._found(passage.collection)
            if found is not None:
                self._mirror.catch_up(found, embedder)
                known = self._mirror.known(found.name).items()
                found.delete([record for record, mirrored in known if mirrored.passage == passage.id])
            with self._database.writing() as connection:
                forget_note(connection, passage, self._forget_cells)
            self._database.empty_log()
            if found is not None:
                self._mark(found, found.space)
        return passage

    def listing(self, collection: str | None = None) -> list[Passage]:
        names = None if collection is None else [collection]
        self.catch_up(names)
        keys = self.keys(names)
        with self._database.reading() as connection:
            return note_rows.notes_listed(connection, keys)

    def collections(self) -> list[Collection]:
        self.catch_up()
        where = self._server.address.url
        return [Collection(name, notes, space, where) for name, space, notes in self._rows(self.names())]

    def names(self) -> list[str]:
        """Names of the collections that are mirrored."""
        with self._database.reading() as connection:
            return mirror_rows.names_at(connection, self._server.address.place)

    def keys(self, collections: Sequence[str] | None = None) -> list[str]:
        """Under what names collections stand in the store; all of them where it is None."""
        return [self._mirror.key(name) for name in (self.names() if collections is None else collections)]

    def repair(self) -> list[str]:
        self.catch_up()
        return self.remarks()

    def disagreeing(self) -> list[str]:
        return []

    def remarks(self, collections: Sequence[str] | None = None) -> list[str]:
        """A line for each collection whose vectors cannot be compared with ours."""
        space = self._embedder().space
        return [
            f'the notes in "{name}" are found by their words alone: they were embedded by {theirs}, and '
            f"the settings give {space}; set notes.embedder to the same model"
            for name, theirs, _ in self._rows(self.names() if collections is None else collections)
            if theirs != space
        ]

    def warm(self) -> None:
        """Import Chroma."""
        self._embedder()
        library()

    def nearest(
        self, collections: Sequence[str], vector: bytes, limit: int, *, indexed: bool = True
    ) -> list[str]:
        """Ids of the notes nearest to a vector, among collections as the store names them: all vectors are
        looked through here, so that the question stays here and the answer is the same everywhere."""
        del indexed
        space = self._embedder().space
        with self._database.reading() as connection:
            near = [
                found
                for key in collections
                for found in nearest_of(note_rows.vectors_in(connection, key, space), vector, limit)
            ]
        return [found.id for found in sorted(near)[:limit]]

    def _rows(self, names: Sequence[str]) -> list[tuple[str, str, int]]:
        """Name, space and number of notes of collections."""
        shown = {self._mirror.key(name): name for name in names}
        with self._database.reading() as connection:
            rows = note_rows.collection_rows(connection, list(shown))
        return [(shown[key], space, notes) for key, space, notes in rows]

    def _look(self, names: Sequence[str] | None, embedder: Embedder) -> None:
        found = self._server.collections()
        self._mirror.keep_only({collection.name for collection in found})
        for collection in found:
            if names is None or collection.name in names:
                self._mirror.catch_up(collection, embedder)

    def _found(self, collection: str) -> ServerCollection | None:
        return next((found for found in self._server.collections() if found.name == collection), None)

    def _in_space(self, found: ServerCollection, space: str) -> ServerCollection:
        """A collection that takes vectors of a space. Raises StoreError where it holds those of another."""
        if found.space == space:
            return found
        if found.count() == 0:
            return self._server.renew(found, space)
        where = f'"{found.name}" on {self._server.address.url}'
        if found.space is None:
            raise StoreError(
                f"nothing is added to {where}: another program made it, and what its notes are embedded "
                "by is not known; name another one with --collection"
            )
        raise StoreError(
            f"nothing is added to {where}: its notes are embedded by {found.space}, and the settings give "
            f"{space}; set notes.embedder to the same model, or name another one with --collection"
        )

    def _put(self, found: ServerCollection, batch: Sequence[Document], embedder: Embedder) -> None:
        added = now()
        documents = {document.source: records_of(document, added) for document in batch}
        records = [record for of_source in documents.values() for record in of_source]
        vectors = embedded(embedder, [record.text for record in records])
        found.write(records, vectors)
        kept = {record.id for record in records}
        known = self._mirror.known(found.name).items()
        found.delete([r for r, mirrored in known if mirrored.source in documents and r not in kept])
        self._mirror.remove([source for source, its in documents.items() if not its], found.name)
        written: dict[str, Sequence[Record]] = {source: its for source, its in documents.items() if its}
        by_record = {record.id: vector for record, vector in zip(records, vectors, strict=True)}
        self._mirror.write(found, written, by_record, embedder.space)

    def _mark(self, found: ServerCollection, space: str | None) -> None:
        """Let others see that it changed. Where nobody else changed it, the mirror is what it holds."""
        seen, stamp = found.stamp, new_id()
        before, count = found.mark(stamp, space), found.count()
        whole = before == seen and count == len(self._mirror.known(found.name))
        self._mirror.seen(found.name, stamp if whole else None, count)
        self._looked.clear()

    @contextmanager
    def _writing(self) -> Iterator[Embedder]:
        try:
            with self._alone(None) as embedder:
                yield embedder
        finally:
            self._looked.clear()

    @contextmanager
    def _alone(self, seconds: float | None) -> Iterator[Embedder]:
        """Alone with the mirror, for so many seconds where they are given."""
        embedder = self._embedder()
        library()
        path = self._database.locks / "notes"
        with ExitStack() as held:
            try:
                with told_plainly(path):
                    held.enter_context(locked(path, self._wait if seconds is None else seconds))
            except HeldError as holder:
                raise NotesBusyError(
                    f"notes are being written by {holder}: try again when it has finished"
                ) from None
            self._server.deadline = None if seconds is None else time.monotonic() + seconds
            held.callback(self._server.close)
            yield embedder
