"""Machines of a team: data folders of their own over one Chroma server, and programs that are not ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctxchat.domain.passage import Chunk, Document, PassageKind, Scope
from ctxchat.store.chroma_library import server_api
from ctxchat.store.database import Database
from ctxchat.store.late_recall import LateRecall
from ctxchat.store.note_store import SqliteNotes
from ctxchat.store.recall import SqliteRecall
from ctxchat.store.server.absence import Absence
from ctxchat.store.server.address import address_of
from ctxchat.store.server.client import ChromaServer
from ctxchat.store.server.notes import ServerNotes
from ctxchat.store.server.recall import ServerRecall
from tests.support.word_embedder import WordEmbedder

EMBEDDER = WordEmbedder()
Ranked = list[tuple[str, str, float]]


def document(source: str, *texts: str) -> Document:
    chunks = (Chunk(place, place, text) for place, text in enumerate(texts, start=1))
    return Document(source, f"hash of {texts}", tuple(chunks))


@dataclass
class Machine:
    """A data folder of its own, over a database of a server. `notes` are fresh at every use: no wait is
    skipped because something was looked at just before."""

    folder: Path
    url: str
    database: str
    embedder: WordEmbedder = EMBEDDER
    seconds: float | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store, self._beside = (Database(self.folder / "store.sqlite3") for _ in range(2))

    @property
    def notes(self) -> ServerNotes:
        address = address_of(self.url, "default_tenant", self.database, lambda: None, "Authorization")
        absence = Absence(self.folder / "cache", address.place)
        return ServerNotes(
            self._beside,
            lambda: self.embedder,
            ChromaServer(address),
            absence,
            wait=5,
        )

    @property
    def recall(self) -> ServerRecall:
        notes = self.notes
        late = LateRecall(self.store, lambda: SqliteRecall(self.store, lambda: self.embedder, lambda: notes))
        return ServerRecall(late, lambda: notes, self.seconds)

    def found(self, query: str, *collections: str) -> Ranked:
        """Ids, texts and scores, best first."""
        scope = Scope(collections or None, kinds=(PassageKind.NOTE,))
        return [(hit.passage.id, hit.passage.text, hit.score) for hit in self.recall.search(query, scope, 50)]

    def texts(self, query: str, *collections: str) -> list[str]:
        return [text for _, text, _ in self.found(query, *collections)]

    def listed(self, collection: str | None = None) -> list[str]:
        return [note.text for note in self.notes.listing(collection)]


def found_alone(folder: Path, documents: Sequence[Document], query: str, collection: str) -> Ranked:
    """What a machine finds that keeps the same notes to itself."""
    folder.mkdir()
    notes = SqliteNotes(Database(folder / "store.sqlite3"), lambda: EMBEDDER)
    notes.put(collection, documents)
    recall = SqliteRecall(Database(folder / "store.sqlite3"), lambda: EMBEDDER, lambda: notes)
    hits = recall.search(query, Scope(None, kinds=(PassageKind.NOTE,)), 50)
    return [(hit.passage.source, hit.passage.text, hit.score) for hit in hits]


class OtherProgram:
    """Writes to the server as any program would that knows nothing of ours."""

    def __init__(self, url: str, database: str) -> None:
        self._database = database
        self._api = server_api(url, {})

    def collection(self, name: str, metadata: dict[str, str] | None = None) -> Any:
        from chromadb import Collection

        model = self._api.create_collection(
            name, metadata=metadata, get_or_create=True, tenant="default_tenant", database=self._database
        )
        return Collection(self._api, model, embedding_function=None)

    def drop(self, name: str) -> None:
        self._api.delete_collection(name, "default_tenant", self._database)

    def close(self) -> None:
        self._api._session.close()
