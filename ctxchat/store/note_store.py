"""Notes in SQLite, which is the truth, and in an index that is made to hold what SQLite holds."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from ctxchat.domain.errors import NotesBusyError, StoreError, UsageError
from ctxchat.domain.passage import Collection, Document, Hashes, Passage
from ctxchat.domain.ports import Embedder
from ctxchat.store import note_rows
from ctxchat.store.chroma_library import IndexFailedError, library
from ctxchat.store.database import Database
from ctxchat.store.exact import nearest_of
from ctxchat.store.failures import told_plainly
from ctxchat.store.forgetting import forget_passage
from ctxchat.store.forgotten_blocks import forget_in_blocks
from ctxchat.store.locks import HeldError, locked
from ctxchat.store.note_indexes import NOTES_AT_ONCE, NoteIndexes, embedded
from ctxchat.store.notes import Near
from ctxchat.store.passages import passage_of
from ctxchat.store.postings import rewrite_index

FOLDER = "chroma"
DOCUMENTS_AT_ONCE = 300
_READER_WAIT = 0.2  # seconds; then the vectors in SQLite are looked through instead


class SqliteNotes:
    """Implements `domain.ports.Notes`. `embedder` is called once, before Chroma is imported; `wait` is
    for how many seconds a writer waits for another one. `forget_cells` is called with each conversation
    whose KV snapshots may hold what is being forgotten."""

    def __init__(
        self,
        database: Database,
        embedder: Callable[[], Embedder],
        wait: float = 5.0,
        forget_cells: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._forget_cells = forget_cells
        self._database = database
        self._embedder = embedder
        self._wait = wait
        self._indexes = NoteIndexes(database, database.path.with_name(FOLDER))

    def hashes(self, collection: str) -> Hashes:
        with self._database.reading() as connection:
            return note_rows.hashes_of(connection, collection)

    def put(self, collection: str, documents: Iterable[Document]) -> None:
        with self._writing() as embedder:
            for number, batch in enumerate(document_batches(documents)):
                if number == 0:
                    self._indexes.mend(collection, embedder)
                self._put(collection, batch, embedder)

    def remove(self, collection: str, sources: Sequence[str]) -> int:
        with self._writing() as embedder:
            with self._database.writing() as connection:
                gone = note_rows.delete_documents(connection, collection, sources)
                note_rows.delete_empty(connection)
                rewrite_index(connection)
            self._database.empty_log()
            self._indexes.take_out(collection, gone, embedder)
        return len(gone)

    def forget(self, note: str) -> Passage:
        """Also in the messages in which it was recalled, and in the summaries of their conversations."""
        with self._writing() as embedder:
            with self._database.writing() as connection:
                passage = the_note(connection, note, list(note_rows.spaces(connection)))
                forget_note(connection, passage, self._forget_cells)
            assert passage.collection is not None
            self._database.empty_log()
            self._indexes.take_out(passage.collection, [passage.id], embedder)
        return passage

    def listing(self, collection: str | None = None) -> list[Passage]:
        with self._database.reading() as connection:
            names = list(note_rows.spaces(connection)) if collection is None else [collection]
            return note_rows.notes_listed(connection, names)

    def collections(self) -> list[Collection]:
        with self._database.reading() as connection:
            rows = note_rows.collection_rows(connection, list(note_rows.spaces(connection)))
        return [
            Collection(name, notes, space, str(self._indexes.of(name, space).folder))
            for name, space, notes in rows
        ]

    def disagreeing(self) -> list[str]:
        """Collections whose index is not what the store says; nothing heavy is imported."""
        return self._indexes.disagreeing()

    def repair(self) -> list[str]:
        with self._database.reading() as connection:
            spaces = note_rows.spaces(connection)
        if not spaces or (not self.disagreeing() and set(spaces.values()) == {self._embedder().space}):
            return []
        with self._writing() as embedder:
            lines = [self._indexes.mend(collection, embedder) for collection in spaces]
        return [line for line in lines if line]

    def warm(self) -> None:
        """Import Chroma, which takes most of a second. Raises StoreError where that cannot be done."""
        self._embedder()
        library()

    def nearest(
        self, collections: Sequence[str] | None, vector: bytes, limit: int, *, indexed: bool = True
    ) -> list[str]:
        """Ids of the notes nearest to a vector of the embedder's space, the nearest first.

        Collections of another space are left out until they have been embedded anew. Where the index
        is being written, cannot be used, or is not to be opened (opening one changes its files), the
        vectors in SQLite are looked through.
        """
        space = self._embedder().space
        with self._database.reading() as connection:
            known = note_rows.spaces(connection)
        names = known if collections is None else [name for name in collections if name in known]
        in_space = [name for name in names if known[name] == space]
        near = [found for name in in_space for found in self._nearest(name, space, vector, limit, indexed)]
        return [found.id for found in sorted(near)[:limit]]

    def _nearest(self, collection: str, space: str, vector: bytes, limit: int, indexed: bool) -> list[Near]:
        if indexed:
            with suppress(IndexFailedError, HeldError, StoreError), self._lock(_READER_WAIT):
                if self._indexes.is_sound(collection, space):
                    return self._indexes.of(collection, space).nearest(vector, limit)
        with self._database.reading() as connection:
            return nearest_of(note_rows.vectors_in(connection, collection, space), vector, limit)

    def _put(self, collection: str, documents: Sequence[Document], embedder: Embedder) -> None:
        texts = [chunk.text for document in documents for chunk in document.chunks]
        vectors = iter(embedded(embedder, texts))
        with self._database.writing() as connection:
            gone = note_rows.delete_documents(connection, collection, [d.source for d in documents])
            for document in documents:
                its_own = [next(vectors) for _ in document.chunks]
                note_rows.write_document(connection, collection, document, its_own, embedder.space)
        self._indexes.bring_up(collection, gone, embedder)

    @contextmanager
    def _writing(self) -> Iterator[Embedder]:
        """Alone with the notes. What takes long to import is there before anybody has to wait."""
        embedder = self._embedder()
        library()
        with ExitStack() as held:
            try:
                held.enter_context(self._lock(self._wait))
            except HeldError as holder:
                raise NotesBusyError(
                    f"notes are being written by {holder}: try again when it has finished"
                ) from None
            yield embedder

    @contextmanager
    def _lock(self, wait: float) -> Iterator[None]:
        path = self._database.locks / "notes"
        with ExitStack() as held:
            with told_plainly(path):
                held.enter_context(locked(path, wait))
            yield


def document_batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents as many as are written at once. Of two of the same source the last counts."""
    batch: dict[str, Document] = {}
    notes = 0
    for document in documents:
        if batch and (notes + len(document.chunks) > NOTES_AT_ONCE or len(batch) == DOCUMENTS_AT_ONCE):
            yield list(batch.values())
            batch, notes = {}, 0
        batch[document.source] = document
        notes += len(document.chunks)
    if batch:
        yield list(batch.values())


def forget_note(
    connection: sqlite3.Connection, passage: Passage, forget_cells: Callable[[str], None]
) -> None:
    """Forget a note wherever the record holds it, and have KV snapshots forget it."""
    forgotten = forget_passage(connection, passage.id)
    forget_in_blocks(connection, forgotten.conversations, passage.text)
    note_rows.delete_empty(connection)
    rewrite_index(connection)
    # Before the record lets go of it: behind a death here it is forgotten once more.
    for conversation in forgotten.conversations:
        forget_cells(conversation)


def the_note(connection: sqlite3.Connection, beginning: str, collections: Sequence[str]) -> Passage:
    """The one note of collections whose id begins like this. Raises UsageError where that is not one."""
    found = note_rows.notes_beginning(connection, beginning, collections) if beginning else []
    passage = passage_of(connection, found[0]) if len(found) == 1 else None
    if passage is None:
        raise UsageError(_not_one(beginning, found))
    return passage


def _not_one(note: str, found: Sequence[str]) -> str:
    if found:
        return f'"{note}" begins the ids of several notes: {", ".join(found)}'
    return f'no note has an id that begins with "{note}": ctxchat notes list shows them all'
