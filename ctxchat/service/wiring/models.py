"""Models: where they are found, how they are run, and what is kept of their cells."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ctxchat import locations
from ctxchat.domain.errors import UsageError
from ctxchat.engine.gguf.library import ModelLibrary
from ctxchat.settings.load import user_file
from ctxchat.settings.schema import Settings
from ctxchat.settings.server import meant, reference_to

if TYPE_CHECKING:
    from ctxchat.domain.model import TemplateBehaviour
    from ctxchat.engine.llama.model import LlamaModel
    from ctxchat.engine.llama.options import EngineOptions
    from ctxchat.engine.snapshots.folder import SnapshotFolder
    from ctxchat.service.bench import BenchService
    from ctxchat.service.model_in_use import OpenedModel
    from ctxchat.service.model_service import ModelService

BUNDLED_NOTICE = (
    "no model was named, so the bundled {name} answers: quick, and not clever; "
    "`ctxchat models use PATH` takes another"
)


def model_library(settings: Settings) -> ModelLibrary:
    """The GGUF files that can be named, and the one the settings mean."""
    folders = [locations.models_folder(), *map(Path, settings.model.folders)]
    return ModelLibrary(folders, default=settings.model.path)


def model_service(settings: Settings) -> "ModelService":
    """What lists models, looks into them and changes them."""
    from ctxchat.service.model_service import ModelService
    from ctxchat.service.wiring.servers import servers

    return ModelService(
        model_library(settings),
        lambda path: opened_model(settings, path, one_shot=False),
        user_file(),
        servers(settings),
    )


def template_behaviour(path: Path) -> "TemplateBehaviour":
    """What the chat template of a file does. Raises ModelError."""
    from ctxchat.engine.gguf.reading import read_header
    from ctxchat.engine.template.chat_template import template_of

    return template_of(read_header(path)).behaviour


def snapshot_folder(settings: Settings) -> "SnapshotFolder":
    """Where KV snapshots lie."""
    from ctxchat.engine.snapshots.folder import SnapshotFolder

    return SnapshotFolder(locations.data_folder() / "kv", settings.kv.max_disk)


def bench_service(settings: Settings) -> "BenchService":
    """What measures the model of the settings."""
    from ctxchat.engine.llama import build
    from ctxchat.service.bench import BenchService, Machine

    def machine(reading: int, decoding: int) -> Machine:
        devices = tuple(build.device_names()) if settings.model.n_gpu_layers != 0 else ()
        return Machine(build.processor(), build.cores(), devices, decoding, reading)

    return BenchService(lambda: _llama_model(settings, model_path(settings), one_shot=True), machine)


def model_opener(
    settings: Settings, *, one_shot: bool, snapshots: "SnapshotFolder | None" = None
) -> "Callable[[], OpenedModel]":
    """What finds the model of the settings. Its cells are kept in the person's folder, or in another."""

    def open_model() -> "OpenedModel":
        if (server := meant(settings)) is not None:
            from ctxchat.service.wiring.servers import opened_server

            return opened_server(settings, server)
        path = model_path(settings)
        notice = None if settings.model.path else BUNDLED_NOTICE.format(name=path.stem)
        return replace(opened_model(settings, path, one_shot=one_shot, snapshots=snapshots), notice=notice)

    return open_model


def opened_model(
    settings: Settings, path: Path, *, one_shot: bool, snapshots: "SnapshotFolder | None" = None
) -> "OpenedModel":
    """A model file, run as the settings say."""
    from ctxchat.service.model_in_use import OpenedModel

    return OpenedModel(_llama_model(settings, path, one_shot=one_shot, snapshots=snapshots))


def model_path(settings: Settings) -> Path:
    """The file that answers. Raises ModelError, and UsageError where a server does."""
    if (server := meant(settings)) is not None:
        raise UsageError(
            f"{reference_to(server)} runs elsewhere, and this is about a file: name one, as -m PATH"
        )
    typed = settings.origins.get("model.path") == "--model"
    return model_library(settings).find(settings.model.path if typed else None)


def _llama_model(
    settings: Settings, path: Path, *, one_shot: bool, snapshots: "SnapshotFolder | None" = None
) -> "LlamaModel":
    from ctxchat.engine.llama.model import LlamaModel

    options = engine_options(settings, one_shot=one_shot)
    return LlamaModel(path, options, snapshots or snapshot_folder(settings))


def engine_options(settings: Settings, *, one_shot: bool = True) -> "EngineOptions":
    from ctxchat.engine.llama.options import EngineOptions

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
        types_free=not {settings.origins.get(f"kv.type_{one}", "default") for one in "kv"} - {"default"},
        flash_attn=kv.flash_attn,
        threads=model.threads,
        threads_batch=model.threads_batch,
        batch_size=model.batch_size,
        ubatch_size=model.ubatch_size,
        window=model.ctx_size,
        one_shot=one_shot,
        speculation=model.speculation,
    )
