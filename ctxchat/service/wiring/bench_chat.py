"""A conversation that is measured, over records and snapshots that are gone when it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ctxchat import locations
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.service.bench_chat import ChatBench, Stage, turns_for
from ctxchat.service.bench_ways import Way
from ctxchat.service.chat import ChatService
from ctxchat.service.clock import SystemClock
from ctxchat.service.remembering import Remembering
from ctxchat.service.wiring.chat import policy, texts
from ctxchat.service.wiring.memory import STORE_FILE, recall_of_turns
from ctxchat.service.wiring.models import model_opener, model_path
from ctxchat.settings.schema import Settings
from ctxchat.store.database import Database
from ctxchat.store.last_turns import LastTurns

WINDOW, QUICK_WINDOW = 2048, 1024
"""A small window shows in minutes what a large one shows in hours."""


def chat_bench(settings: Settings, *, turns: int | None, last: int | None, quick: bool) -> ChatBench:
    """What holds a conversation with the model of the settings, in their window where they name one.
    `last` are the turns a sliding window sends, None for as many as fit. Raises ModelError."""
    trained = read_header(model_path(settings)).window
    window = settings.model.ctx_size or min(trained or WINDOW, QUICK_WINDOW if quick else WINDOW)
    sized = replace(settings, model=replace(settings.model, ctx_size=window))

    @contextmanager
    def open_stage(way: Way) -> Iterator[Stage]:
        cache = locations.private_folder(locations.cache_folder())
        with TemporaryDirectory(prefix="bench-", dir=cache) as name:
            store = Database(Path(name) / STORE_FILE)
            record = LastTurns(store, last if way is Way.LAST else None)
            service = _service(sized, way, store, record)
            try:
                yield Stage(service, record.narrow) if way is Way.LAST else Stage(service)
            finally:
                service.close()
                store.close()

    return ChatBench(open_stage, SystemClock(), window, turns or turns_for(window))


def _service(settings: Settings, way: Way, store: Database, record: LastTurns) -> ChatService:
    snapshots = SnapshotFolder(store.path.with_name("kv"), settings.kv.max_disk)
    folds = way is Way.MANAGED
    return ChatService(
        model_opener(settings, one_shot=False, snapshots=snapshots),
        record,
        SystemClock(),
        texts(settings),
        policy=lambda model: replace(policy(settings, model), folds=folds),
        remembering=Remembering(recall_of_turns(settings, store), None) if folds else None,
        stays=folds,
    )
