"""What the host has room for once the weights are there."""

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.llama.fitting.choice import HOST_MARGIN
from ctxchat.engine.llama.fitting.demand import demand_of
from ctxchat.engine.llama.fitting.placement import placed
from ctxchat.engine.llama.fitting.words import size
from ctxchat.engine.llama.machine import available_memory
from ctxchat.engine.llama.options import EngineOptions, ResolvedOptions


class HostRoom:
    """Cells that can still be allocated. llama.cpp fills them with zeros: where memory is promised and not
    there, the kernel would end the process. `mapped` are the bytes of weights that are read from a map of
    their file: what the system calls free holds them too, and they are to stay."""

    def __init__(
        self, header: GgufHeader, options: EngineOptions, resolved: ResolvedOptions, mapped: int
    ) -> None:
        demand = demand_of(header)
        layers = resolved.n_gpu_layers if resolved.n_gpu_layers >= 0 else demand.units
        counts = (min(layers, demand.units),)
        cell = demand.cell(options.type_k, options.type_v, resolved.flash_attn)
        kept = options.offload_kv
        weights = placed(demand, counts, cell, 0, offload_kv=kept).host
        self._cell = placed(demand, counts, cell, 1, offload_kv=kept).host - weights
        self.weights = min(weights, mapped)

    def holds(self, cells: int) -> bool:
        free = available_memory()
        return free is None or cells * self._cell <= self._beside(free)

    def check(self, cells: int) -> None:
        """Raises ModelError where so many cells cannot be allocated on the host."""
        free = available_memory()
        if free is not None and cells * self._cell > self._beside(free):
            raise ModelError(
                f"{cells:,} cells need {size(cells * self._cell)} and {size(max(0, self._beside(free)))} are "
                "free for them: try a smaller --ctx-size, or --cache-type-k q8_0"
            )

    def _beside(self, free: int) -> int:
        """What is free beside the weights and what is left alone; nothing is asked of a host that holds no
        cells."""
        return free - self.weights - HOST_MARGIN if self._cell else 0
