"""Texts to vectors by a GGUF model, through llama.cpp."""

import ctypes
import math
import struct
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.checks import check_vocabulary
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.log import LOG
from ctxchat.engine.llama.machine import usable_cores
from ctxchat.engine.llama.options import EngineOptions, ResolvedOptions, resolve
from ctxchat.engine.llama.vocabulary import LlamaVocabulary
from ctxchat.engine.llama.weights import LlamaWeights

MOST_TOKENS = 512
"""Read at once, of models trained to read more: attention costs the square of them, and a passage
seldom has as many."""

UNSPECIFIED, NONE, MEAN, CLS, LAST, RANK = -1, 0, 1, 2, 3, 4
"""llama.cpp's numbers for how the vectors of tokens become the one of a text."""


class LlamaEmbedder:
    """An Embedder over a GGUF file: its own pooling, the mean where it names none.

    The weights are opened by the first text. Texts go through it one by one, which is faster than
    together; one longer than the model reads at once is cut, and the vectors of its pieces are
    averaged by their lengths.
    """

    def __init__(self, path: Path, *, threads: int = 1, n_gpu_layers: int | None = None) -> None:
        """One thread leaves the other cores to a model that decodes meanwhile. Raises ModelError
        where the file is missing, no model, or a model that cannot embed."""
        self._header = read_header(path)
        self._pooling = _pooling(self._header)
        self._options = EngineOptions(threads=threads, threads_batch=threads, n_gpu_layers=n_gpu_layers)
        self._limit = min(MOST_TOKENS, self._header.window or MOST_TOKENS)

    @cached_property
    def space(self) -> str:
        """Of the file, and of what is done with it."""
        return f"gguf-{self._header.count('embedding_length')}-{self._header.fingerprint()[:12]}"

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        return [self._half_precision(self._vector(text)) for text in texts]

    @cached_property
    def _opened(self) -> "_OpenedEmbedder":
        return _OpenedEmbedder(self._header, self._options, self._pooling, self._limit)

    def _vector(self, text: str) -> list[float]:
        opened = self._opened
        total = [0.0] * opened.dimensions
        for ids in opened.pieces(text) if text.strip() else ():
            vector = opened.evaluate(ids)
            total = [sum_ + len(ids) * number for sum_, number in zip(total, vector, strict=True)]
        return total

    def _half_precision(self, vector: list[float]) -> bytes:
        length = math.hypot(*vector) or 1.0
        if not math.isfinite(length):
            raise ModelError(f"{self._header.path} embeds a text as no numbers: the file is damaged")
        return struct.pack(f"<{len(vector)}e", *(number / length for number in vector))


class _OpenedEmbedder:
    """The weights of a model, and a context that gives the vector of a whole sequence."""

    def __init__(self, header: GgufHeader, options: EngineOptions, pooling: int, limit: int) -> None:
        lib = self._library = library()
        check_vocabulary(header)
        resolved = resolve(
            options,
            can_offload=lib.llama_supports_gpu_offload(),
            cores=usable_cores(),
            trained_window=header.window,
        )
        self._path, self._limit = header.path, limit
        self._weights = LlamaWeights(
            header, options, resolved, lambda _: True, vocabulary_only=False, embeds=True
        )
        self._vocabulary = LlamaVocabulary(self._weights, header.vocabulary_fingerprint())
        self.dimensions: int = lib.llama_model_n_embd_out(self._weights.pointer)
        self._before, self._behind = self._vocabulary.around()
        if len(self._before) + len(self._behind) >= limit:
            raise ModelError(f"{header.path} reads {limit} tokens at once, too few to embed a text")
        self._pointer = lib.llama_init_from_model(
            self._weights.pointer, _parameters(lib, resolved, pooling, limit)
        )
        if not self._pointer:
            raise ModelError(
                f"{header.path} cannot be run: {LOG.first_error() or 'llama.cpp gives no reason'}"
            )
        weakref.finalize(self, lib.llama_free, self._pointer).atexit = False
        self._memory = lib.llama_get_memory(self._pointer)
        header.let_pages_go()

    def pieces(self, text: str) -> list[tuple[int, ...]]:
        """All tokens of a text, in runs short enough to be read at once, each within the control
        tokens that the model was trained to see around a text."""
        ids = self._vocabulary.encode(text, special=False)
        room = self._limit - len(self._before) - len(self._behind)
        return [
            (*self._before, *ids[begin : begin + room], *self._behind) for begin in range(0, len(ids), room)
        ]

    def evaluate(self, ids: Sequence[int]) -> list[float]:
        """The vector of at most `limit` tokens. Raises ModelError."""
        lib = self._library
        tokens = (ctypes.c_int32 * len(ids))(*ids)
        batch = lib.llama_batch_get_one(tokens, len(ids))
        if self._memory:
            lib.llama_memory_clear(self._memory, True)
        LOG.clear()
        # An encoder keeps no cells, and is not told apart by anything else.
        run = lib.llama_decode if self._memory else lib.llama_encode
        outcome = run(self._pointer, batch)
        vector = lib.llama_get_embeddings_seq(self._pointer, 0) if outcome == 0 else None
        if not vector:
            raise ModelError(f"{self._path} cannot embed a text: {LOG.first_error() or outcome}")
        return list(vector[: self.dimensions])


def _pooling(header: GgufHeader) -> int:
    """What to tell llama.cpp, which ends the process at a number it does not know."""
    named = header.count("pooling_type")
    if named == RANK:
        raise ModelError(f"{header.path} ranks texts and does not embed them: choose an embedding model")
    if named not in (None, UNSPECIFIED, NONE, MEAN, CLS, LAST):
        raise ModelError(
            f"{header.path} pools in a way that llama.cpp does not know ({named}): choose another"
        )
    return UNSPECIFIED if named in (MEAN, CLS, LAST) else MEAN


def _parameters(lib: Any, resolved: ResolvedOptions, pooling: int, limit: int) -> Any:
    parameters = lib.llama_context_default_params()
    # Attention that looks both ways, and the mean over a text, need it whole in one batch.
    parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = limit
    parameters.n_seq_max = 1
    parameters.n_threads = resolved.threads.decode
    parameters.n_threads_batch = resolved.threads.prefill
    parameters.flash_attn_type = int(resolved.flash_attn)
    parameters.embeddings = True
    parameters.pooling_type = pooling
    parameters.no_perf = True
    return parameters
