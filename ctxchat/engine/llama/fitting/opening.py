"""Opening a model's weights where there is memory for them, and with fewer layers where a device refuses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.llama.context import LlamaContext
from ctxchat.engine.llama.devices import devices
from ctxchat.engine.llama.fitting.decision import Decider
from ctxchat.engine.llama.hardware import no_gpu_support
from ctxchat.engine.llama.log import LOG
from ctxchat.engine.llama.machine import available_memory
from ctxchat.engine.llama.options import EngineOptions, ResolvedOptions
from ctxchat.engine.llama.weights import LlamaWeights

T = TypeVar("T")

STEPS = 4
"""So many steps lead from all layers on the devices to none."""

NO_GPU = "llama.cpp finds no GPU here, so all layers stay on the CPU: leave out -ngl, or see `ctxchat doctor`"


@dataclass(frozen=True, slots=True)
class Opened:
    """Weights, None where only tokens are counted, and the options they were opened with. `room` is the
    window that is left where memory made it smaller."""

    weights: LlamaWeights | None
    options: EngineOptions
    resolved: ResolvedOptions
    room: int | None = None


def open_where_it_fits(
    header: GgufHeader, options: EngineOptions, report: Callable[[float], bool], tell: Callable[[str], None]
) -> Opened:
    """Open a file's weights in the memory there is. Raises ModelError, before anything is loaded where that
    would swap."""
    found = devices() if options.n_gpu_layers != 0 else ()
    if options.n_gpu_layers and not found:
        tell(no_gpu_support() or NO_GPU)
    decider = Decider(header, options, found, available_memory())
    decided = decider.decision()
    if decided.notice:
        tell(decided.notice)

    wanted = decided.fit.way.units
    room = decided.options.window if decided.options.window != options.window else None

    def opened(layers: int) -> Opened:
        chosen = decided.options if layers == wanted else replace(decided.options, n_gpu_layers=layers)
        resolved = decider.resolve(chosen)
        weights = LlamaWeights(header, chosen, resolved, report, vocabulary_only=False)
        if decided.tight and resolved.offloaded and not weights.interrupted:
            LlamaContext(weights, chosen, resolved, resolved.window).close()
        return Opened(weights, chosen, resolved, room)

    if options.n_gpu_layers is not None:
        return opened(wanted)
    return with_fewer(opened, wanted, LOG.refused, tell)


def with_fewer(
    opened: Callable[[int], T], wanted: int, refused: Callable[[], bool], tell: Callable[[str], None]
) -> T:
    """What opens with so many layers on the devices, or with fewer where memory is `refused` after all,
    which is told. Raises ModelError where it does not open with none either."""
    for layers in _fewer(wanted):
        try:
            it = opened(layers)
        except ModelError:
            if not layers or not refused():
                raise
            continue
        if layers != wanted:
            tell(f"the GPU refused {wanted} layers for want of memory: {layers or 'none'} of them are on it")
        return it
    raise AssertionError("it was opened or not")


def _fewer(wanted: int) -> Iterator[int]:
    yield from (wanted * left // STEPS for left in range(STEPS, 0, -1) if wanted * left // STEPS)
    yield 0
