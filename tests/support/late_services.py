"""Notes, memory and models of a chat, over a real store and files that are no more than headers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ctxchat.engine.gguf.library import ModelLibrary
from ctxchat.service.counting import TokenCounter
from ctxchat.service.memory import MemoryService
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.service.model_service import ModelService
from ctxchat.service.notes import NoteService
from ctxchat.service.open_services import LateServices
from ctxchat.service.servers import Servers
from ctxchat.settings.server import ServerSettings
from ctxchat.store.database import Database
from ctxchat.store.note_store import SqliteNotes
from ctxchat.store.notes import index_at
from ctxchat.store.recall import SqliteRecall
from ctxchat.tui.app import ChatApp
from ctxchat.tui.opening import Opening
from tests.support.scripted import ScriptedModel
from tests.support.served import PRICES, ServedModel
from tests.support.tiny_gguf import write_tiny_gguf
from tests.support.word_embedder import WordEmbedder


@contextmanager
def with_late_services(app: ChatApp, folder: Path) -> Iterator[ChatApp]:
    """The same chat with notes, memory, and one model file, `alpha`, which opens as a scripted model."""
    data, gguf = folder / "late", folder / "gguf"
    gguf.mkdir()
    write_tiny_gguf(gguf / "alpha.gguf")
    database = Database(data / "store.sqlite3")
    store = SqliteNotes(database, WordEmbedder, wait=0.1)
    recall = SqliteRecall(Database(data / "store.sqlite3"), WordEmbedder, lambda: store)
    late = LateServices(
        lambda: NoteService(store, recall, TokenCounter(ScriptedModel)),
        lambda: MemoryService(store),
        lambda: ModelService(
            ModelLibrary([gguf], None),
            lambda _: OpenedModel(ScriptedModel(["From alpha."])),
            data,
            Servers(
                {"lab": ServerSettings(url="http://lab.invalid/v1")},
                lambda _: OpenedModel(ServedModel(["From the lab."]), prices=PRICES),
            ),
        ),
    )
    opened = replace(app.services, late=late)
    app.opening = Opening(lambda: opened)
    try:
        yield app
    finally:
        database.close()
        for index in (data / "chroma").glob("*"):
            index_at(index).close()
