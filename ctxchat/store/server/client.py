"""Chroma's HTTP client: beside the hub, the one module that makes connections, to the one server that the
settings name.

Chroma's `HttpClient` waits without an end, and asks three things before anybody can tell it not to. So the
half of it that talks to the server is opened by itself, and waits no longer than it is told.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ctxchat.domain.errors import NotesUnreachableError
from ctxchat.store.chroma_library import server_api
from ctxchat.store.notes import matrix
from ctxchat.store.server.address import Address
from ctxchat.store.server.failures import told
from ctxchat.store.server.names import chroma_name, shown_name
from ctxchat.store.server.records import Record

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 60.0
"""How long one answer may take where a person asks for just this. A turn has a deadline."""

EMBEDDER, STAMP = "ctxchat.embedder", "ctxchat.stamp"
"""Keys of a collection's metadata: the space of its vectors, and a mark that every writer of ours changes."""

_COLLECTIONS, _RECORDS, _VECTORS, _WRITTEN = 500, 2000, 500, 500
_INDEX = {"hnsw": {"space": "ip"}}
"""Of vectors of length 1 the inner product is the cosine; where it is told `cosine`, Chroma changes their
last bits."""


@dataclass
class ChromaServer:
    """A database of a server. Every method raises NotesUnreachableError, UsageError where there is no key,
    and StoreError where chromadb cannot be imported. `deadline` is when to give up, by the monotonic clock.
    Nothing is asked where it is `offline`."""

    address: Address
    offline: bool = False
    deadline: float | None = field(default=None, init=False)

    def require_online(self) -> None:
        if self.offline:
            raise NotesUnreachableError(
                f"the notes' server {self.address.url} is not asked: no connection is allowed (--offline)"
            )

    def version(self) -> str:
        with self.asked() as api:
            return str(api.get_version())

    def collections(self) -> "list[ServerCollection]":
        """By the names they are shown under. Of a database that is not there Chroma lists none, too."""
        found: list[Any] = []
        while len(found) % _COLLECTIONS == 0:
            with self.asked() as api:
                some = api.list_collections(
                    _COLLECTIONS, len(found), self.address.tenant, self.address.database
                )
            if not some:
                break
            found += some
        if not found:
            with self.asked() as api:
                api.get_database(self.address.database, self.address.tenant)
        return sorted((self._collection(model) for model in found), key=lambda found: found.name)

    def create(self, name: str, space: str) -> "ServerCollection":
        """A collection for vectors of a space; the one there is where another machine was quicker."""
        with self.asked() as api:
            model = api.create_collection(
                chroma_name(name),
                configuration=_INDEX,
                metadata={EMBEDDER: space},
                get_or_create=True,
                tenant=self.address.tenant,
                database=self.address.database,
            )
        return self._collection(model)

    def renew(self, found: "ServerCollection", space: str) -> "ServerCollection":
        """An empty collection made anew for another space: Chroma keeps it to vectors of one length."""
        with self.asked() as api:
            api.delete_collection(found.found.name, self.address.tenant, self.address.database)
        return self.create(found.name, space)

    @contextmanager
    def asked(self) -> Iterator[Any]:
        """Ask one thing in this block, within the time there is."""
        self.require_online()
        left = ANSWER_SECONDS if self.deadline is None else max(0.0, self.deadline - time.monotonic())
        with told(self.address, left):
            api = self._api
            api._session.timeout = (min(CONNECT_SECONDS, left), left, left, left)  # noqa: SLF001 - nor to be told
            yield api

    def close(self) -> None:
        """Close what is open; the next question opens it again. A connection does not outlive its use: the
        server may have been started anew by the next one."""
        if api := self.__dict__.pop("_api", None):
            api._session.close()  # noqa: SLF001 - it has no other way to be closed

    @cached_property
    def _api(self) -> Any:
        return server_api(self.address.url, self.address.headers())

    def _collection(self, model: Any) -> "ServerCollection":
        from chromadb import Collection

        return ServerCollection(self, Collection(self._api, model, embedding_function=None))


@dataclass
class ServerCollection:
    """A collection of a server, with its metadata as they were when it was listed. `found` is Chroma's."""

    server: ChromaServer
    found: Any

    @property
    def name(self) -> str:
        return shown_name(self.found.name)

    @property
    def number(self) -> str:
        """Tells it from one of the same name that was there before."""
        return str(self.found.id)

    @property
    def space(self) -> str | None:
        """The space of its vectors; None where another program made it."""
        space = (self.found.metadata or {}).get(EMBEDDER)
        return space if isinstance(space, str) else None

    @property
    def stamp(self) -> str:
        return str((self.found.metadata or {}).get(STAMP, ""))

    def count(self) -> int:
        with self.server.asked():
            return int(self.found.count())

    def records(self) -> list[Record]:
        """All it holds but the vectors."""
        records: dict[str, Record] = {}
        offset = 0
        while True:
            with self.server.asked():
                page = self.found.get(limit=_RECORDS, offset=offset, include=["documents", "metadatas"])
            for id_, text, metadata in zip(page["ids"], page["documents"], page["metadatas"], strict=True):
                records[id_] = Record(id_, text or "", metadata or {}, offset + len(records))
            offset += _RECORDS
            if len(page["ids"]) < _RECORDS:
                return list(records.values())

    def vectors(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Vectors by their records, in float16; one that is no unit vector (or none at all) is left out."""
        import numpy as np

        found: dict[str, bytes] = {}
        for begin in range(0, len(ids), _VECTORS):
            with self.server.asked():
                page = self.found.get(ids=list(ids[begin : begin + _VECTORS]), include=["embeddings"])
            for id_, vector in zip(page["ids"], np.asarray(page["embeddings"], np.float32), strict=True):
                length = float(np.linalg.norm(vector))
                if length == 0 or abs(length - 1) < 0.01:
                    found[id_] = vector.astype("<f2").tobytes()
        return found

    def write(self, records: Sequence[Record], vectors: Sequence[bytes]) -> None:
        """Add records, or change those that are there, with unit vectors in float16."""
        for begin in range(0, len(records), _WRITTEN):
            some = records[begin : begin + _WRITTEN]
            with self.server.asked():
                self.found.upsert(
                    ids=[record.id for record in some],
                    embeddings=matrix(vectors[begin : begin + _WRITTEN]),
                    documents=[record.text for record in some],
                    metadatas=[dict(record.metadata) for record in some],
                )

    def delete(self, ids: Sequence[str]) -> None:
        for begin in range(0, len(ids), _WRITTEN):
            with self.server.asked():
                self.found.delete(ids=list(ids[begin : begin + _WRITTEN]))

    def mark(self, stamp: str, space: str | None) -> str:
        """Put a stamp into its metadata, and a space where there is one, beside what else stands there now:
        the stamp that stood there. What begins with `hnsw:` Chroma takes at the beginning alone."""
        address = self.server.address
        with self.server.asked() as api:
            now = api.get_collection(self.found.name, address.tenant, address.database).metadata or {}
        kept = {key: value for key, value in now.items() if not key.startswith("hnsw:")}
        kept |= {STAMP: stamp} if space is None else {STAMP: stamp, EMBEDDER: space}
        with self.server.asked():
            self.found.modify(metadata=kept)
        return str(now.get(STAMP, ""))
