"""A llama.cpp context: cells, evaluation, and the way to interrupt it."""

import ctypes
from collections.abc import Sequence
from enum import IntEnum
from math import isnan
from typing import Any

from ctxchat.domain.errors import EngineError, ModelError
from ctxchat.engine.llama.bindings import c_library, library
from ctxchat.engine.llama.cells import CHAT, SEQUENCES
from ctxchat.engine.llama.log import LOG
from ctxchat.engine.llama.options import CACHE_TYPES, EngineOptions, ResolvedOptions
from ctxchat.engine.llama.threads import Threads
from ctxchat.engine.llama.weights import LlamaWeights

LARGEST_BATCH = 8
"""Tokens at the most of which each has the next one predicted: room for predictions is memory."""

LAST = -1
"""The last prediction there is, by llama.cpp's number for it."""


class Outcome(IntEnum):
    """How an evaluation ended, by llama.cpp's numbers. Below zero it failed."""

    DONE = 0
    FULL = 1
    INTERRUPTED = 2


class LlamaContext:
    """`capacity` cells over a model. Only the worker's thread may call it.

    llama.cpp ends the whole process where its rules are broken, so they are kept here: a batch is
    never larger than it was told, asks for no more outputs, and names only tokens it was checked for.
    """

    def __init__(
        self, weights: LlamaWeights, options: EngineOptions, resolved: ResolvedOptions, capacity: int
    ) -> None:
        self._library = library()
        self._weights = weights
        self._stop = ctypes.create_string_buffer(8)
        LOG.clear()
        parameters = self._parameters(options, resolved, capacity)
        self._pointer = self._library.llama_init_from_model(weights.pointer, parameters)
        if not self._pointer:
            raise ModelError(
                f"{capacity:,} cells with {options.type_k} keys and {options.type_v} values cannot be "
                f"allocated ({LOG.first_error() or 'llama.cpp gives no reason'}): try a smaller --ctx-size"
            )
        self._memory = self._library.llama_get_memory(self._pointer)
        if not self._memory:
            self.close()
            raise ModelError("this model keeps no cache of what it read: it embeds text and cannot chat")
        self.capacity: int = self._library.llama_n_ctx(self._pointer)
        self.slice: int = self._library.llama_n_batch(self._pointer)
        self.kv_bytes, self.kv_rounding = LOG.kv_bytes()
        self.state_bytes = LOG.state_bytes()
        self.compute_bytes = LOG.compute_bytes()
        self.buffers = LOG.buffers()
        self._batch = self._library.llama_batch_init(self.slice, 0, 1)
        self._tokens = _view(self._batch.token, ctypes.c_int32, self.slice)
        self._positions = _view(self._batch.pos, ctypes.c_int32, self.slice)
        self._outputs = _view(self._batch.logits, ctypes.c_int8, self.slice)
        for place in range(self.slice):
            self._batch.n_seq_id[place] = 1
            self._outputs[place] = 0
        self._looked_at = LAST
        self._read_into(CHAT)

    def evaluate(self, sequence: int, begin: int, ids: Sequence[int], *, predict: int) -> int:
        """Put `ids` into cells of a sequence from position `begin` on, at most `slice` of them.

        `predict` asks for the predictions of what follows so many of the last, of which the last one is
        looked at. Returns an `Outcome`, or a number below zero.
        """
        count = len(ids)
        if not 0 < count <= self.slice:
            raise EngineError(f"{count} tokens cannot be read at once: the slice is {self.slice}")
        if predict > LARGEST_BATCH:
            raise EngineError(f"{predict} predictions cannot be asked for at once: {LARGEST_BATCH} can")
        if sequence != self._sequence:
            self._read_into(sequence)
        self._batch.n_tokens = count
        self._tokens[:count] = ids
        self._positions[:count] = range(begin, begin + count)
        self._outputs[count - predict : count] = (1,) * predict
        outcome: int = self._library.llama_decode(self._pointer, self._batch)
        self._outputs[count - predict : count] = (0,) * predict
        self._looked_at = LAST
        return outcome

    def look_at(self, place: int) -> None:
        """Go by the prediction of what follows that token of those that were evaluated last."""
        self._looked_at = place

    def use_threads(self, threads: Threads) -> None:
        self._library.llama_set_n_threads(self._pointer, threads.decode, threads.prefill)

    def sample(self, chain: Any) -> int:
        """The next token by a chain of samplers, which accept it."""
        token: int = self._library.llama_sampler_sample(chain, self._pointer, self._looked_at)
        return token

    def prediction(self) -> Any:
        """The prediction that is looked at: a pointer to a number for each token, good until more is read."""
        return self._library.llama_get_logits_ith(self._pointer, self._looked_at)

    @property
    def vocabulary(self) -> Any:
        """llama.cpp's pointer to the vocabulary."""
        return self._library.llama_model_get_vocab(self._weights.pointer)

    def predicts(self) -> bool:
        """Whether the last prediction holds numbers: sampling from none would end the process."""
        logits = self.prediction()
        return bool(logits) and not isnan(logits[0])

    def interrupt(self) -> None:
        """Make the evaluation that runs, and any later one, stop; from any thread.

        llama.cpp asks a callback a thousand times a token whether to stop. It is the C library's
        strlen over this buffer: no Python, so nothing waits for the interpreter's lock.
        """
        self._stop.value = b"1"

    def resume(self) -> None:
        self._stop.value = b""

    def count(self, sequence: int) -> int:
        """Cells a sequence holds."""
        return int(self._library.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def keep(self, sequence: int, cells: int) -> bool:
        """Remove what is behind the first `cells`; False where the model cannot do that."""
        return bool(self._library.llama_memory_seq_rm(self._memory, sequence, cells, -1))

    def share(self, source: int, target: int, end: int, begin: int = 0) -> None:
        """Let `target`, which holds none of them, hold the cells of `source` from `begin` to `end` too."""
        self._library.llama_memory_seq_cp(self._memory, source, target, begin, end)

    def take_out(self, sequence: int) -> memoryview:
        """The cells of one sequence, with their places in it."""
        size = self._library.llama_state_seq_get_size(self._pointer, sequence)
        state = (ctypes.c_uint8 * size)()
        got = self._library.llama_state_seq_get_data(self._pointer, state, size, sequence)
        if got != size:
            raise EngineError(f"llama.cpp gave {got:,} of {size:,} bytes of the cells of sequence {sequence}")
        return memoryview(state).cast("B")

    def put_in(self, sequence: int, cells: memoryview) -> bool:
        """Give a sequence, which is empty, cells that were taken out; False where llama.cpp refuses them,
        and then it is empty. Whoever calls this has verified them."""
        state = (ctypes.c_uint8 * len(cells)).from_buffer(cells)
        return bool(
            self._library.llama_state_seq_set_data(self._pointer, state, len(cells), sequence) == len(cells)
        )

    def wait(self) -> None:
        """Wait until what was asked of a GPU is done."""
        self._library.llama_synchronize(self._pointer)

    @property
    def vocabulary_size(self) -> int:
        return self._weights.vocabulary_size

    def sequence_state(self, sequence: int) -> Any:
        """The cells of a sequence, as bytes that `add_copy` takes."""
        size = self._library.llama_state_seq_get_size(self._pointer, sequence)
        state = (ctypes.c_uint8 * size)()
        self._library.llama_state_seq_get_data(self._pointer, state, size, sequence)
        return state

    def add_copy(self, state: Any, sequence: int, through: int) -> bool:
        """Give a sequence more cells, by way of another that is left empty: their positions may repeat.
        False where there is no room for them."""
        size = len(state)
        if self._library.llama_state_seq_set_data(self._pointer, state, size, through) != size:
            return False
        self._library.llama_memory_seq_cp(self._memory, through, sequence, -1, -1)
        return self.keep(through, 0)

    def state(self) -> Any:
        """All cells of all sequences, as bytes that `restore` takes."""
        size = self._library.llama_state_get_size(self._pointer)
        state = (ctypes.c_uint8 * size)()
        self._library.llama_state_get_data(self._pointer, state, size)
        return state

    def restore(self, state: Any) -> bool:
        """Take the cells of another context over the same model, of the same types and no larger."""
        return bool(self._library.llama_state_set_data(self._pointer, state, len(state)) == len(state))

    def close(self) -> None:
        if self._pointer:
            self._library.llama_free(self._pointer)
            self._pointer = None
            if hasattr(self, "_batch"):
                self._library.llama_batch_free(self._batch)

    def _read_into(self, sequence: int) -> None:
        """Let every place of the batch belong to a sequence."""
        self._sequence = sequence
        for place in range(self.slice):
            self._batch.seq_id[place][0] = sequence

    def _parameters(self, options: EngineOptions, resolved: ResolvedOptions, capacity: int) -> Any:
        parameters = self._library.llama_context_default_params()
        parameters.n_ctx = capacity
        parameters.n_batch = resolved.batch_size
        parameters.n_ubatch = resolved.ubatch_size
        parameters.n_seq_max = SEQUENCES
        # One shared pool of cells; apart, a part of a sequence cannot be shared.
        parameters.kv_unified = True
        # Room for the predictions of whole batches is most of the compute buffer, and not needed.
        parameters.n_outputs_max = max(SEQUENCES, LARGEST_BATCH)
        parameters.n_outputs_max_per_seq = 1
        parameters.n_threads = resolved.threads.decode
        parameters.n_threads_batch = resolved.threads.prefill
        parameters.type_k = CACHE_TYPES[options.type_k]
        parameters.type_v = CACHE_TYPES[options.type_v]
        parameters.flash_attn_type = int(resolved.flash_attn)
        parameters.offload_kqv = options.offload_kv
        # Without layers on it a GPU would still be given the products of long slices, and take memory.
        parameters.op_offload = resolved.offloaded
        # Models with a sliding window keep all cells: a shorter cache could not be cut back.
        parameters.swa_full = True
        parameters.no_perf = True
        parameters.abort_callback = ctypes.cast(c_library().strlen, self._library.ggml_abort_callback)
        parameters.abort_callback_data = ctypes.addressof(self._stop)
        return parameters


def _view(pointer: Any, kind: Any, length: int) -> Any:
    """The memory behind a pointer as an array: its slices are copied in C."""
    return (kind * length).from_address(ctypes.addressof(pointer.contents))
