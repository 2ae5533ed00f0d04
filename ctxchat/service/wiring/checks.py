"""What `doctor` looks at."""

from ctxchat.domain.cancel import Cancel
from ctxchat.service.doctor import Probes
from ctxchat.service.wiring.memory import database, note_store
from ctxchat.service.wiring.models import (
    bench_service,
    engine_options,
    model_library,
    snapshot_folder,
    template_behaviour,
)
from ctxchat.settings.schema import Settings


def doctor_probes(settings: Settings) -> Probes:
    """What `doctor` looks at. The store is read, models are looked into and not loaded."""
    from ctxchat.engine.llama import build
    from ctxchat.engine.llama.hardware import unused_gpu

    library, notes = model_library(settings), note_store(settings)

    return Probes(
        engine=build.version,
        gpu=build.device_names,
        unused_gpu=unused_gpu,
        model=lambda: library.find(None),
        header=lambda path: library.info(str(path))[0],
        template=template_behaviour,
        threads=lambda: build.threads(engine_options(settings)),
        conversations=database().check,
        notes=lambda: (notes.collections(), notes.disagreeing()),
        snapshots=snapshot_folder(settings).bytes,
        calibrate=lambda: bench_service(settings).calibrate(Cancel()),
    )
