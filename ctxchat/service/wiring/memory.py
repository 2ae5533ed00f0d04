"""What is remembered: the store, notes in it, and recall."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ctxchat import locations
from ctxchat.service.wiring.models import model_opener, snapshot_folder
from ctxchat.settings.schema import Settings
from ctxchat.settings.server import meant
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.store.late_recall import LateRecall

if TYPE_CHECKING:
    from ctxchat.domain.ports import Embedder, Recall
    from ctxchat.service.counting import TokenCounter
    from ctxchat.service.memory import MemoryService
    from ctxchat.service.notes import NoteService
    from ctxchat.service.recalling import RecallService
    from ctxchat.store.note_store import SqliteNotes
    from ctxchat.store.recall import SqliteRecall
    from ctxchat.store.server.client import ChromaServer
    from ctxchat.store.server.notes import ServerNotes

STORE_FILE = "conversations.sqlite3"


def note_service(settings: Settings) -> "NoteService":
    """What adds, finds, lists and removes notes."""
    from ctxchat.service.notes import NoteService

    found = recall(settings, database(), alone=True)
    return NoteService(note_store(settings), found, _counter(settings))


def memory_service(settings: Settings) -> "MemoryService":
    """What remembers and forgets texts."""
    from ctxchat.service.memory import MemoryService

    return MemoryService(note_store(settings))


def recall_service(settings: Settings) -> "RecallService":
    """What finds messages of a conversation by a question."""
    from ctxchat.service.recalling import RecallService

    store = database()
    return RecallService(SqliteConversations(store), recall(settings, store), _counter(settings))


def database() -> Database:
    """The store, on a connection of its own."""
    return Database(locations.data_folder() / STORE_FILE)


def note_store(settings: Settings, *, changes: bool = True) -> "SqliteNotes | ServerNotes":
    """Over a connection of its own: it is asked while recall reads in another. The model that answers
    `changes` where it may be another later."""
    if settings.notes.url is not None:
        return server_notes(settings, changes=changes)
    from ctxchat.store.note_store import SqliteNotes

    return SqliteNotes(
        database(),
        lambda: _embedder(settings, changes=changes),
        forget_cells=snapshot_folder(settings).release,
    )


def server_notes(settings: Settings, *, changes: bool = True) -> "ServerNotes":
    """Notes on the server of the settings. Raises SettingsError for an address that is none."""
    from ctxchat.store.server.absence import Absence
    from ctxchat.store.server.notes import ServerNotes

    server = chroma_server(settings)
    return ServerNotes(
        database(),
        lambda: _embedder(settings, changes=changes),
        server,
        Absence(locations.cache_folder(), server.address.place),
        forget_cells=snapshot_folder(settings).release,
    )


def chroma_server(settings: Settings) -> "ChromaServer":
    """The server of the settings, which nothing has been asked yet. Raises SettingsError."""
    from ctxchat.settings.secrets import secret
    from ctxchat.store.server.address import address_of
    from ctxchat.store.server.client import ChromaServer

    notes = settings.notes
    address = address_of(
        notes.url or "",
        notes.tenant,
        notes.database,
        lambda: secret(notes.key_env, notes.key_command),
        notes.key_header,
    )
    return ChromaServer(address, settings.offline)


def recall(settings: Settings, store: Database, *, alone: bool = False, changes: bool = True) -> "Recall":
    """What finds passages of a store; little is imported until it is asked for some. Where the notes lie on
    a server, a turn waits for it as long as a turn may, and `alone` as long as it takes."""
    late = LateRecall(store, lambda: _recall(settings, store, changes=changes))
    if settings.notes.url is None:
        return late
    from ctxchat.store.server.recall import TURN_SECONDS, ServerRecall

    return ServerRecall(
        late, lambda: server_notes(settings, changes=changes), None if alone else TURN_SECONDS
    )


def recall_of_turns(settings: Settings, store: Database) -> LateRecall:
    """What finds what was said in the conversations of a store that has no notes."""

    def open_recall() -> "SqliteRecall":
        embedder = _embedder(settings)
        from ctxchat.store.recall import SqliteRecall

        return SqliteRecall(store, lambda: embedder)

    return LateRecall(store, open_recall)


def _recall(settings: Settings, store: Database, *, changes: bool) -> "SqliteRecall":
    embedder = _embedder(settings, changes=changes)
    from ctxchat.store.recall import SqliteRecall

    return SqliteRecall(store, lambda: embedder, lambda: note_store(settings, changes=changes))


def _embedder(settings: Settings, *, changes: bool = True) -> "Embedder":
    """What embeds in this process. Whoever asks for it may import numpy behind it: two copies of OpenMP live
    in a process that has both, and llama.cpp's must come first. Where a server answers, and stays the
    one that does, there is no llama.cpp."""
    if changes or meant(settings) is None:
        from ctxchat.engine.llama.bindings import library

        library()
    return _opened_embedder(settings.notes.embedder)


@cache
def _opened_embedder(path: str | None) -> "Embedder":
    """The GGUF model at a path, else the table that ships."""
    if path is not None:
        from ctxchat.engine.embedding import LlamaEmbedder

        return LlamaEmbedder(Path(path))
    from ctxchat.store.static_embedding import StaticEmbedder

    return StaticEmbedder()


def _counter(settings: Settings) -> "TokenCounter":
    from ctxchat.service.counting import TokenCounter

    opener = model_opener(settings, one_shot=True)
    return TokenCounter(lambda: opener().model)
