"""The indexes of all collections, and how they are made to hold what the store holds."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ctxchat.domain.errors import StoreError
from ctxchat.domain.ports import Embedder
from ctxchat.store import note_rows
from ctxchat.store.chroma_library import IndexFailedError
from ctxchat.store.database import Database
from ctxchat.store.notes import NoteIndex, folder_name, index_at
from ctxchat.store.vectors import keep_vectors

NOTES_AT_ONCE = 2000
"""Notes that are read, embedded and indexed at once."""


class NoteIndexes:
    """Indexes below `folder` over the notes in `database`. Whoever writes, and whoever searches an
    index, holds the lock of the notes. Everything raises StoreError."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def of(self, collection: str, space: str) -> NoteIndex:
        return index_at(self._folder / folder_name(collection, space))

    def is_sound(self, collection: str, space: str) -> bool:
        """Whether an index holds what the store says, and nobody else has changed it."""
        with self._database.reading() as connection:
            state = note_rows.state_of(connection, collection)
        index = self.of(collection, space)
        return index.is_sealed() and index.holds(state)

    def disagreeing(self) -> list[str]:
        """Collections whose index is not what the store says."""
        with self._database.reading() as connection:
            spaces = note_rows.spaces(connection)
        return [name for name, space in spaces.items() if not self.is_sound(name, space)]

    def mend(self, collection: str, embedder: Embedder) -> str | None:
        """Make a collection ready to be written: a line where its index had to be built again."""
        with self._database.reading() as connection:
            known = note_rows.spaces(connection).get(collection)
        if known != embedder.space:
            self._rebuild(collection, embedder)
            self._remove_strays()
            return known and f'the notes in "{collection}" were embedded anew: the embedder is another one'
        if self.is_sound(collection, known):
            return None
        with suppress(IndexFailedError):
            if self.of(collection, known).is_sealed():
                return self._reconcile(collection, embedder)
        seen = "was damaged, or left unfinished" if self.of(collection, known).exists else "was missing"
        self._rebuild(collection, embedder)
        return f'the index of the notes in "{collection}" {seen}: it was built again, and no note is lost'

    def bring_up(self, collection: str, gone: Sequence[str], embedder: Embedder) -> None:
        """Make a sound index hold what the store holds: without the notes that are gone, with those
        that are not indexed. It is built again where it cannot be changed."""
        try:
            self._change(collection, gone, embedder)
        except IndexFailedError:
            self._rebuild(collection, embedder)

    def take_out(self, collection: str, gone: Sequence[str], embedder: Embedder) -> None:
        """Take out notes that are deleted from the store already."""
        with self._database.reading() as connection:
            space = note_rows.spaces(connection).get(collection)
        if space == embedder.space and self.of(collection, space).is_sealed():
            self.bring_up(collection, gone, embedder)
        elif space is not None:
            self.of(collection, space).remove()
        self._remove_strays()

    def _change(self, collection: str, gone: Sequence[str], embedder: Embedder) -> None:
        index = self.of(collection, embedder.space)
        with self._database.reading() as connection:
            state = note_rows.state_of(connection, collection)
        with index.changing(state):
            if gone:
                index.delete(gone)
            while self._index_some(collection, index, embedder):
                pass

    def _reconcile(self, collection: str, embedder: Embedder) -> str:
        """Make an index that is whole hold what the store holds, where the two were parted."""
        indexed = set(self.of(collection, embedder.space).ids())
        with self._database.writing() as connection:
            stored = set(note_rows.ids_of(connection, collection))
            note_rows.mark_not_indexed(connection, stored - indexed)
        self._change(collection, sorted(indexed - stored), embedder)
        return f'the index of the notes in "{collection}" was behind the store: it holds all of them again'

    def _index_some(self, collection: str, index: NoteIndex, embedder: Embedder) -> bool:
        """Index the oldest documents that are not; False where there are none."""
        space = embedder.space
        with self._database.reading() as connection:
            documents = note_rows.not_indexed(connection, collection, NOTES_AT_ONCE)
            stored = note_rows.stored_notes(connection, documents, space)
        bare = [note for note in stored if note.vector is None]
        made = dict(zip((n.id for n in bare), embedded(embedder, [n.text for n in bare]), strict=True))
        index.upsert([n.id for n in stored], [n.vector or made[n.id] for n in stored])
        with self._database.writing() as connection:
            keep_vectors(connection, space, made)
            note_rows.mark_indexed(connection, documents)
        return bool(documents)

    def _rebuild(self, collection: str, embedder: Embedder) -> None:
        """Build an index from nothing. Raises StoreError where that cannot be done either."""
        index = self.of(collection, embedder.space)
        index.remove()
        with self._database.writing() as connection:
            note_rows.begin_space(connection, collection, embedder.space)
        try:
            self._change(collection, [], embedder)
        except IndexFailedError as error:
            index.remove()
            raise StoreError(
                f"the index of notes in {self._folder} cannot be written ({error}): check the disk, its free "
                "space and the permissions of the folder; notes that are in the store stay there"
            ) from error

    def _remove_strays(self) -> None:
        """Remove indexes of collections, and of spaces, that are no more."""
        with self._database.reading() as connection:
            kept = {self.of(*key).folder for key in note_rows.spaces(connection).items()}
        with suppress(OSError):
            for folder in self._folder.iterdir():
                if folder not in kept:
                    index_at(folder).remove()


def embedded(embedder: Embedder, texts: Sequence[str]) -> list[bytes]:
    """A vector for each text; what is no Unicode in it is replaced."""
    return embedder.embed([text.encode("utf-8", "replace").decode() for text in texts])
