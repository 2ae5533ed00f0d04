"""How a model would be run in the memory there is."""

from pathlib import Path

from ctxchat.domain.model import ModelFit
from ctxchat.service.wiring.models import engine_options
from ctxchat.settings.schema import Settings


def model_fit(settings: Settings, path: Path) -> ModelFit:
    """What is decided of a file before it is loaded, by llama.cpp's own figures. Raises ModelError, with what
    would fit, where nothing does."""
    from ctxchat.engine.gguf.checked_vocabularies import check_once
    from ctxchat.engine.gguf.reading import read_header
    from ctxchat.engine.llama.devices import devices
    from ctxchat.engine.llama.fitting.decision import Decider
    from ctxchat.engine.llama.fitting.words import reason
    from ctxchat.engine.llama.hardware import no_gpu_support
    from ctxchat.engine.llama.machine import available_memory

    header = read_header(path)
    check_once(header)
    options = engine_options(settings)
    fit = Decider(header, options, devices(), available_memory()).exact().fit
    return ModelFit(
        n_gpu_layers=fit.way.units,
        window=fit.way.window,
        type_k=fit.way.type_k,
        type_v=fit.way.type_v,
        devices=(*fit.devices, fit.host),
        reason=reason(fit),
        notice=no_gpu_support() if options.n_gpu_layers != 0 else None,
    )
