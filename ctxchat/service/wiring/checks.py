"""What `doctor` looks at."""

from time import monotonic

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import CtxChatError, StoreError
from ctxchat.domain.passage import Collection
from ctxchat.service.doctor import Probes
from ctxchat.service.wiring.memory import chroma_server, database, note_store
from ctxchat.service.wiring.models import (
    bench_service,
    engine_options,
    model_library,
    snapshot_folder,
    template_behaviour,
)
from ctxchat.service.wiring.servers import servers
from ctxchat.settings.schema import Settings
from ctxchat.store.server.recall import TURN_SECONDS


def doctor_probes(settings: Settings) -> Probes:
    """What `doctor` looks at. The store is read, models are looked into and not loaded."""
    from ctxchat.engine.llama import build
    from ctxchat.engine.llama.hardware import unused_gpu

    library = model_library(settings)

    return Probes(
        engine=build.version,
        gpu=build.device_names,
        unused_gpu=unused_gpu,
        model=lambda: library.find(None),
        header=lambda path: library.info(str(path))[0],
        template=template_behaviour,
        threads=lambda: build.threads(engine_options(settings)),
        conversations=database().check,
        notes=lambda: _notes(settings),
        snapshots=snapshot_folder(settings).bytes,
        calibrate=lambda: bench_service(settings).calibrate(Cancel()),
        servers=lambda: servers(settings),
        notes_server=(lambda: _notes_server(settings)) if settings.notes.url is not None else None,
    )


def _notes(settings: Settings) -> tuple[list[Collection], list[str]]:
    notes = note_store(settings)
    return notes.collections(), notes.disagreeing()


def _notes_server(settings: Settings) -> str:
    """What goes to the notes' server, and whether it can be reached. Raises CtxChatError."""
    server = chroma_server(settings)
    server.deadline = monotonic() + TURN_SECONDS
    sent = f"texts and vectors of notes go to {server.address.place}"
    try:
        collections = len(server.collections())
        return f"{sent}; it answers as Chroma {server.version()}, and holds {collections:,} collections"
    except CtxChatError as error:
        raise StoreError(f"{sent}; {error}") from error
    finally:
        server.close()
