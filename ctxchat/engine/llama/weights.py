"""Opening a model file with llama.cpp, and refusing what cannot do what it is opened for."""

import ctypes
import weakref
from collections.abc import Callable
from typing import Any

from ctxchat.domain.errors import ModelError, UsageError
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.purpose import refuse_other_purpose
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.log import LOG
from ctxchat.engine.llama.options import SPLIT_MODES, EngineOptions, ResolvedOptions

READ_AT_ONCE = 0
"""llama.cpp's number for loading without a map of the file."""


class LlamaWeights:
    """A model file opened by llama.cpp: its vocabulary, and its tensors unless `vocabulary_only`.

    Freed with the last reference: a vocabulary in use in another thread keeps it. Raises
    ModelError.
    """

    def __init__(
        self,
        header: GgufHeader,
        options: EngineOptions,
        resolved: ResolvedOptions,
        progress: Callable[[float], bool],
        *,
        vocabulary_only: bool,
        embeds: bool = False,
        dry: bool = False,
    ) -> None:
        """`progress` is called with the share that is read, from 0 to 1, and stops the reading by
        returning False; `interrupted` is then set, and nothing is loaded. `embeds` opens it to embed
        texts, not to chat. A `dry` one takes no memory, and neither do contexts over it: they tell what
        they would take."""
        self._library = library()
        self.interrupted = False
        if not embeds:
            refuse_other_purpose(header)
        if not vocabulary_only and not header.tensors:
            raise ModelError(f"{header.path} holds no weights, only a vocabulary: choose a whole model")
        parameters = self._parameters(options, resolved)
        parameters.vocab_only = vocabulary_only
        if dry:
            parameters.no_alloc, parameters.load_mode = True, READ_AT_ONCE

        def report(share: float, _: object) -> bool:
            self.interrupted = not progress(share)
            return not self.interrupted

        callback = self._library.llama_progress_callback(report)
        parameters.progress_callback = callback
        self.pointer = self._open(header, parameters)
        self.buffers = LOG.buffers()
        if self.pointer and embeds:
            self._refuse_what_cannot_embed(header)

    @property
    def trims(self) -> bool:
        """Whether the end of its cache can be removed; a recurrent state has no parts."""
        lib, pointer = self._library, self.pointer
        return not (lib.llama_model_is_recurrent(pointer) or lib.llama_model_is_hybrid(pointer))

    @property
    def slides(self) -> bool:
        """Whether some of its layers see the last tokens alone."""
        return bool(self._library.llama_model_n_swa(self.pointer))

    @property
    def vocabulary_size(self) -> int:
        return int(self._library.llama_vocab_n_tokens(self._library.llama_model_get_vocab(self.pointer)))

    @property
    def bytes(self) -> int:
        """Bytes of the tensors in memory."""
        return int(self._library.llama_model_size(self.pointer))

    @property
    def mapped(self) -> int:
        """Bytes of the tensors that the host reads from a map of their file."""
        return self.buffers.get("CPU_Mapped", 0)

    def _open(self, header: GgufHeader, parameters: Any) -> int | None:
        LOG.clear()
        path = str(header.path).encode("utf-8", "surrogateescape")
        pointer: int | None = self._library.llama_model_load_from_file(path, parameters)
        if pointer:
            # At the end of the process the memory goes anyway, and a thread may still read it.
            weakref.finalize(self, self._library.llama_model_free, pointer).atexit = False
        elif not self.interrupted:
            reason = LOG.first_error() or "llama.cpp gives no reason"
            raise ModelError(f"{header.path} cannot be opened: {reason}")
        return pointer

    def _refuse_what_cannot_embed(self, header: GgufHeader) -> None:
        lib, pointer = self._library, self.pointer
        if lib.llama_model_has_encoder(pointer) and lib.llama_model_has_decoder(pointer):
            raise ModelError(
                f"{header.path} is an encoder with a decoder ({header.architecture}) and cannot embed texts: "
                "choose another"
            )

    def _parameters(self, options: EngineOptions, resolved: ResolvedOptions) -> Any:
        parameters = self._library.llama_model_default_params()
        parameters.n_gpu_layers = resolved.n_gpu_layers
        parameters.split_mode = SPLIT_MODES[options.split_mode]
        parameters.main_gpu = options.main_gpu
        if options.tensor_split:
            devices = self._library.llama_max_devices()
            if len(options.tensor_split) > devices:
                raise UsageError(f"--tensor-split names more devices than the {devices} there can be")
            parameters.tensor_split = (ctypes.c_float * devices)(*options.tensor_split)
        return parameters
