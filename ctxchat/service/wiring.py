"""The only module that names implementations: settings in, services out."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ctxchat import locations
from ctxchat.context import prompt_files
from ctxchat.context.assemble import Wording
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.model import TemplateBehaviour
from ctxchat.engine.gguf.library import ModelLibrary
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.service.chat import ChatService, OpenedModel
from ctxchat.service.clock import SystemClock
from ctxchat.service.compaction import Requests
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.texts import Texts
from ctxchat.settings.schema import Settings, context_for
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.store.late_recall import LateRecall

if TYPE_CHECKING:
    from ctxchat.domain.ports import Embedder
    from ctxchat.engine.llama.model import LlamaModel
    from ctxchat.service.bench import BenchService
    from ctxchat.service.conversations import ConversationService
    from ctxchat.service.counting import TokenCounter
    from ctxchat.service.doctor import Probes
    from ctxchat.service.memory import MemoryService
    from ctxchat.service.notes import NoteService
    from ctxchat.service.pins import PinService
    from ctxchat.service.recalling import RecallService
    from ctxchat.service.summaries import SummaryService
    from ctxchat.store.note_store import SqliteNotes
    from ctxchat.store.recall import SqliteRecall

STORE_FILE = "conversations.sqlite3"
BUNDLED_NOTICE = (
    "no model was named, so the bundled {name} answers: quick, and not clever; "
    "`ctxchat models use PATH` takes another"
)


def chat_service(settings: Settings, *, one_shot: bool = True) -> ChatService:
    """What answers questions with the model and the options of the settings. With `one_shot` cells
    are allocated as they are needed, else the whole window at once."""
    own, database = prompts_folder(), _database()
    return ChatService(
        _model_opener(settings, one_shot=one_shot),
        SqliteConversations(database),
        SystemClock(),
        Texts(_wording(own), _requests(own), system_text(settings)),
        policy=lambda model: _policy(settings, model),
        recall=LateRecall(database, lambda: _recall(settings, database)),
        collections=settings.notes.collections or None,
    )


def _wording(own: Path) -> Wording:
    return Wording(
        pins=prompt_files.around("pins", own, "pins"),
        summary=prompt_files.around("summary", own, "summary"),
        reply=prompt_files.text("reply", own),
        opening=prompt_files.text("opening", own),
        notes=prompt_files.around("notes", own, "notes"),
    )


def _requests(own: Path) -> Requests:
    return Requests(
        summary=lambda words: prompt_files.text("summarize", own, words=str(words)),
        merger=lambda texts, words: prompt_files.text("merge", own, summaries=texts, words=str(words)),
    )


def _policy(settings: Settings, model: str) -> WindowPolicy:
    context = context_for(settings, model)
    return WindowPolicy(
        window=settings.model.ctx_size,
        budget=context.budget,
        compact_at=context.compact_at,
        compact_to=context.compact_to,
        folds=context.overflow == "compact",
    )


def conversation_service(settings: Settings) -> "ConversationService":
    """What lists, shows and changes conversations."""
    from ctxchat.service.conversations import ConversationService

    return ConversationService(
        SqliteConversations(_database()), snapshot_folder(settings), system_text(settings)
    )


def pin_service() -> "PinService":
    """What adds, lists and removes pins."""
    from ctxchat.service.pins import PinService

    return PinService(SqliteConversations(_database()))


def recall_service(settings: Settings) -> "RecallService":
    """What finds messages of a conversation by a question."""
    from ctxchat.service.recalling import RecallService

    database = _database()
    recall = LateRecall(database, lambda: _recall(settings, database))
    return RecallService(SqliteConversations(database), recall, _counter(settings))


def note_service(settings: Settings) -> "NoteService":
    """What adds, finds, lists and removes notes."""
    from ctxchat.service.notes import NoteService

    database = _database()
    recall = LateRecall(database, lambda: _recall(settings, database))
    return NoteService(_notes(settings), recall, _counter(settings))


def memory_service(settings: Settings) -> "MemoryService":
    """What remembers and forgets texts."""
    from ctxchat.service.memory import MemoryService

    return MemoryService(_notes(settings))


def _counter(settings: Settings) -> "TokenCounter":
    from ctxchat.service.counting import TokenCounter

    opener = _model_opener(settings, one_shot=True)
    return TokenCounter(lambda: opener().model)


def _notes(settings: Settings) -> "SqliteNotes":
    """Over a connection of its own: it is asked while recall reads in another."""
    from ctxchat.store.note_store import SqliteNotes

    return SqliteNotes(
        _database(),
        lambda: _embedder(settings.notes.embedder),
        forget_cells=snapshot_folder(settings).release,
    )


def _recall(settings: Settings, database: Database) -> "SqliteRecall":
    _embedder(settings.notes.embedder)
    from ctxchat.store.recall import SqliteRecall

    return SqliteRecall(database, lambda: _embedder(settings.notes.embedder), lambda: _notes(settings))


@cache
def _embedder(path: str | None) -> "Embedder":
    """The GGUF model at a path, else the table that ships. Whoever asks for it may import numpy behind it:
    two copies of OpenMP live in a process that has both, and llama.cpp's must come first."""
    from ctxchat.engine.llama.bindings import library

    library()
    if path is not None:
        from ctxchat.engine.embedding import LlamaEmbedder

        return LlamaEmbedder(Path(path))
    from ctxchat.store.static_embedding import StaticEmbedder

    return StaticEmbedder()


def summary_service() -> "SummaryService":
    """What shows summaries, and changes them."""
    from ctxchat.service.summaries import SummaryService

    return SummaryService(SqliteConversations(_database()))


def system_text(settings: Settings) -> str:
    """The system message of new conversations: the settings' text, else the prompt file's."""
    if settings.context.system is not None:
        return settings.context.system
    return prompt_files.text("system", prompts_folder())


def prompts_folder() -> Path:
    """Where the person keeps prompt files of their own."""
    return locations.config_folder() / "prompts"


def snapshot_folder(settings: Settings) -> SnapshotFolder:
    """Where KV snapshots lie."""
    return SnapshotFolder(locations.data_folder() / "kv", settings.kv.max_disk)


def model_library(settings: Settings) -> ModelLibrary:
    """The GGUF files that can be named, and the one the settings mean."""
    folders = [locations.models_folder(), *map(Path, settings.model.folders)]
    return ModelLibrary(folders, default=settings.model.path)


def bench_service(settings: Settings) -> "BenchService":
    """What measures the model of the settings."""
    from ctxchat.engine.llama import build
    from ctxchat.service.bench import BenchService, Machine

    def machine(reading: int, decoding: int) -> Machine:
        devices = tuple(build.devices()) if settings.model.n_gpu_layers != 0 else ()
        return Machine(build.processor(), build.cores(), devices, decoding, reading)

    return BenchService(lambda: _llama_model(settings, _model_path(settings), one_shot=True), machine)


def doctor_probes(settings: Settings) -> "Probes":
    """What `doctor` looks at. The store is read, models are looked into and not loaded."""
    from ctxchat.engine.gguf.reading import read_header
    from ctxchat.engine.llama import build
    from ctxchat.service.doctor import Probes

    library, notes = model_library(settings), _notes(settings)

    def template(path: Path) -> TemplateBehaviour:
        from ctxchat.engine.template.chat_template import template_of

        return template_of(read_header(path)).behaviour

    return Probes(
        engine=build.version,
        gpu=build.devices,
        model=lambda: library.find(None),
        header=lambda path: library.info(str(path))[0],
        template=template,
        threads=lambda: build.threads(engine_options(settings)),
        conversations=_database().check,
        notes=lambda: (notes.collections(), notes.disagreeing()),
        snapshots=snapshot_folder(settings).bytes,
        calibrate=lambda: bench_service(settings).calibrate(Cancel()),
    )


def _model_opener(settings: Settings, *, one_shot: bool) -> Callable[[], OpenedModel]:
    def open_model() -> OpenedModel:
        path = _model_path(settings)
        notice = None if settings.model.path else BUNDLED_NOTICE.format(name=path.stem)
        return OpenedModel(_llama_model(settings, path, one_shot=one_shot), notice)

    return open_model


def _model_path(settings: Settings) -> Path:
    typed = settings.origins.get("model.path") == "--model"
    return model_library(settings).find(settings.model.path if typed else None)


def _llama_model(settings: Settings, path: Path, *, one_shot: bool) -> "LlamaModel":
    from ctxchat.engine.llama.model import LlamaModel

    return LlamaModel(path, engine_options(settings, one_shot=one_shot), snapshot_folder(settings))


def engine_options(settings: Settings, *, one_shot: bool = True) -> EngineOptions:
    model, kv = settings.model, settings.kv
    layers = {"auto": None, "all": -1}.get(str(model.n_gpu_layers), model.n_gpu_layers)
    return EngineOptions(
        n_gpu_layers=None if layers is None else int(layers),
        tensor_split=model.tensor_split,
        split_mode=model.split_mode,
        main_gpu=model.main_gpu,
        offload_kv=kv.offload,
        type_k=kv.type_k,
        type_v=kv.type_v,
        flash_attn=kv.flash_attn,
        threads=model.threads,
        threads_batch=model.threads_batch,
        batch_size=model.batch_size,
        ubatch_size=model.ubatch_size,
        window=model.ctx_size,
        one_shot=one_shot,
    )


def _database() -> Database:
    return Database(locations.data_folder() / STORE_FILE)
