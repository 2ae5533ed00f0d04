"""The index of notes in Chroma: vectors and ids alone, made again from the store at any time.

Each collection has a folder with a Chroma of its own, so that what damages one damages one. Chroma
loses vectors in silence where two processes write, and a damaged HNSW file can end the process: all
of it is used under the lock of the notes, and only while its files are as they were sealed after
the last write. A process that dies while it writes leaves no seal. The seal also says which state of
the store the index holds.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from ctxchat.domain.conversation import new_id
from ctxchat.locations import private_folder
from ctxchat.store.chroma_library import client, failures_told

_COLLECTION = "notes"
_SEAL = "sealed"
_AT_ONCE = 1000


def folder_name(collection: str, space: str) -> str:
    """Any name of a collection as one that a folder can have."""
    return sha256(f"{collection}\n{space}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


class Near(NamedTuple):
    """A note near to a vector: the less its `distance`, the nearer."""

    distance: float
    id: str


class _Seal(NamedTuple):
    """`number` is of the write, `state` the store's then, `stamp` tells of the files; Chroma changes
    some when it opens them."""

    number: str
    state: str
    stamp: str


class NoteIndex:
    """Vectors of one collection in one space, in a folder of their own.

    Every method but `is_sealed`, `holds` and `remove` raises IndexFailedError, and StoreError where chromadb
    cannot be imported. The caller holds the lock of the notes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number: str | None = None
        self._client: Any = None
        self._collection: Any = None

    @property
    def exists(self) -> bool:
        return self.folder.exists()

    def is_sealed(self) -> bool:
        """Whether the files are those of the last finished write."""
        seal = self._read_seal()
        with suppress(OSError):
            return seal is not None and seal.stamp == self._stamp()
        return False

    def holds(self, state: str) -> bool:
        """Whether it was last written for this state of the store."""
        seal = self._read_seal()
        return seal is not None and seal.state == state

    @contextmanager
    def changing(self, state: str) -> Iterator[None]:
        """Write in this block, so that the index holds a state of the store. Without the block's end
        there is no seal."""
        self._opened()
        with failures_told():
            (self.folder / _SEAL).unlink(missing_ok=True)
        self._number = None
        yield
        with failures_told():
            self._write_seal(new_id(), state)

    def upsert(self, ids: Sequence[str], vectors: Sequence[bytes]) -> None:
        """Add notes, or change those that are there, by unit vectors in float16."""
        collection = self._opened()
        with failures_told():
            for begin in range(0, len(ids), _AT_ONCE):
                end = begin + _AT_ONCE
                collection.upsert(ids=list(ids[begin:end]), embeddings=matrix(vectors[begin:end]))

    def delete(self, ids: Sequence[str]) -> None:
        collection = self._opened()
        with failures_told():
            for begin in range(0, len(ids), _AT_ONCE):
                collection.delete(ids=list(ids[begin : begin + _AT_ONCE]))

    def count(self) -> int:
        collection = self._opened()
        with failures_told():
            return int(collection.count())

    def ids(self) -> list[str]:
        collection = self._opened()
        with failures_told():
            return list(collection.get(include=[])["ids"])

    def nearest(self, vector: bytes, limit: int) -> list[Near]:
        """The nearest first, `limit` at the most."""
        with self._sealed_again():
            collection = self._opened()
            with failures_told():
                found = collection.query(
                    query_embeddings=matrix([vector]), n_results=limit, include=["distances"]
                )
                return [Near(*pair) for pair in zip(found["distances"][0], found["ids"][0], strict=True)]

    def remove(self) -> None:
        """Remove the folder. What cannot be removed is written over by the next one."""
        self.close()
        if self.folder.is_dir() and not self.folder.is_symlink():
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            with suppress(OSError):
                self.folder.unlink(missing_ok=True)

    def close(self) -> None:
        if self._client is not None:
            with suppress(Exception):
                self._client.close()
        self._client = self._collection = self._number = None

    def _opened(self) -> Any:
        """The collection as it is on the disk: another process may have written it since."""
        seal = self._read_seal()
        if self._number is not None and (seal is None or seal.number != self._number):
            self.close()
        if self._collection is None:
            with self._sealed_again(), failures_told():
                private_folder(self.folder)
                self._client = client(self.folder)
                self._collection = self._client.get_or_create_collection(
                    _COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
                )
        return self._collection

    @contextmanager
    def _sealed_again(self) -> Iterator[None]:
        """Chroma writes files also where it only reads: what was sealed before is sealed again."""
        seal = self._read_seal()
        sealed = self.is_sealed()
        yield
        if seal is not None and sealed:
            self._number = seal.number
            if not self.is_sealed():
                with failures_told():
                    self._write_seal(seal.number, seal.state)

    def _read_seal(self) -> "_Seal | None":
        with suppress(OSError, ValueError, TypeError):
            return _Seal(*(self.folder / _SEAL).read_text().split("\n", 2))
        return None

    def _write_seal(self, number: str, state: str) -> None:
        """Beside its place first, so that there is a whole one or none."""
        self._number = number
        fresh = self.folder / f"{_SEAL}.new"
        fresh.write_text("\n".join(_Seal(number, state, self._stamp())))
        fresh.replace(self.folder / _SEAL)

    def _stamp(self) -> str:
        """Names, sizes and times of the files."""
        lines = []
        for folder, _, names in sorted(os.walk(self.folder)):
            for name in sorted(names):
                if not name.startswith(_SEAL):
                    path = Path(folder, name)
                    seen = path.stat()
                    lines.append(f"{path.relative_to(self.folder)} {seen.st_size} {seen.st_mtime_ns}")
        return "\n".join(lines)


def matrix(vectors: Sequence[bytes]) -> Any:
    """Vectors as float32 of the shape (vectors, dimensions)."""
    import numpy as np

    return np.frombuffer(b"".join(vectors), "<f2").astype(np.float32).reshape(len(vectors), -1)


@cache
def index_at(folder: Path) -> NoteIndex:
    """The index in a folder, one for all of this process: clients of Chroma share what is below them, and
    closing one would not close it."""
    return NoteIndex(folder)
