"""llama.cpp through its bindings alone, with its own defaults: what `gpu_beside.py` measures beside."""

import ctypes
import time
from dataclasses import dataclass
from typing import Any

from ctxchat.engine.llama.bindings import library


@dataclass(frozen=True)
class Took:
    """Seconds to read a prompt, and to decode `decoded` tokens: by the clock and of the processor."""

    prefill: float
    decode: float
    prefill_cpu: float
    decode_cpu: float
    decoded: int


class BareContext:
    """A model, its cells, and a greedy sampler. Only the calling thread is used."""

    def __init__(
        self,
        path: str,
        layers: int,
        cells: int,
        threads: tuple[int, int],
        *,
        flash: bool,
        split: tuple[float, ...] = (),
    ) -> None:
        llama = self._llama = library()
        of_model = llama.llama_model_default_params()
        of_model.n_gpu_layers = layers
        if split:
            of_model.tensor_split = (ctypes.c_float * llama.llama_max_devices())(*split)
        self._model = llama.llama_model_load_from_file(path.encode(), of_model)
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = cells
        parameters.n_threads, parameters.n_threads_batch = threads
        parameters.flash_attn_type = int(flash)
        parameters.n_seq_max = parameters.n_outputs_max = 1
        parameters.no_perf = True
        self._context = llama.llama_init_from_model(self._model, parameters)
        assert self._context, "there is no memory for the cells"
        self._memory = llama.llama_get_memory(self._context)
        self._batch: int = llama.llama_n_batch(self._context)
        self._chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        llama.llama_sampler_chain_add(self._chain, llama.llama_sampler_init_greedy())

    def keep(self, cells: int) -> None:
        assert self._llama.llama_memory_seq_rm(self._memory, 0, cells, -1)

    def read(self, ids: list[int]) -> None:
        for begin in range(0, len(ids), self._batch):
            self._evaluate(ids[begin : begin + self._batch])
        self._llama.llama_synchronize(self._context)

    def timed(self, ids: list[int], tokens: int) -> Took:
        """Read the ids behind what is in cells, and decode so many tokens."""
        began, cpu = time.monotonic(), time.process_time()
        self.read(ids)
        read, read_cpu = time.monotonic(), time.process_time()
        for _ in range(tokens):
            self._evaluate([self._llama.llama_sampler_sample(self._chain, self._context, -1)])
        self._llama.llama_synchronize(self._context)
        ended, ended_cpu = time.monotonic(), time.process_time()
        return Took(read - began, ended - read, read_cpu - cpu, ended_cpu - read_cpu, tokens)

    def _evaluate(self, ids: list[int]) -> Any:
        array = (self._llama.llama_token * len(ids))(*ids)
        outcome = self._llama.llama_decode(self._context, self._llama.llama_batch_get_one(array, len(ids)))
        assert outcome == 0, f"llama_decode returned {outcome}"
