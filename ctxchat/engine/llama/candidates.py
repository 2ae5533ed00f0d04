"""The tokens that may come next, as llama.cpp's samplers take them."""

import ctypes
from array import array
from typing import Any

from ctxchat.engine.llama.bindings import library

REFUSED = float("-inf")


class Candidates:
    """A prediction over a vocabulary of `size` tokens, copied so that samplers may change it."""

    def __init__(self, size: int) -> None:
        self._library = library()
        self._size = size
        self._data = (self._library.llama_token_data * size)()
        memory = memoryview(self._data).cast("B")
        self._ids = memory.cast("i")[0::3]
        self._logits = memory.cast("f")[1::3]
        self._in_order = memoryview(array("i", range(size)))
        self._array = self._library.llama_token_data_array()

    def fill(self, logits: Any) -> None:
        """Take a prediction: a pointer to as many numbers as there are tokens."""
        source = (ctypes.c_float * self._size).from_address(ctypes.addressof(logits.contents))
        self._ids[:] = self._in_order
        self._logits[:] = memoryview(source).cast("B").cast("f")
        self._array.data = ctypes.cast(self._data, self._library.llama_token_data_p)
        self._array.size, self._array.selected, self._array.sorted = self._size, -1, False

    def apply(self, sampler: Any) -> None:
        """Let a sampler change or sort them, and choose."""
        self._library.llama_sampler_apply(sampler, ctypes.byref(self._array))

    def logits(self) -> list[float]:
        """Those of the candidates that are left, in their order."""
        left = (self._library.llama_token_data * self._array.size).from_address(
            ctypes.addressof(self._array.data.contents)
        )
        numbers: list[float] = memoryview(left).cast("B").cast("f")[1::3].tolist()  # type: ignore[assignment]
        return numbers

    def disorder(self) -> None:
        """Say that they are not sorted any more."""
        self._array.sorted = False

    def chosen(self) -> int | None:
        """The token that was chosen, None where all are refused."""
        candidate = self._array.data[self._array.selected]
        return None if candidate.logit == REFUSED else int(candidate.id)


class OneCandidate:
    """A single token, to ask a sampler about."""

    def __init__(self) -> None:
        self._library = library()
        self._data = (self._library.llama_token_data * 1)()
        self._array = self._library.llama_token_data_array()

    def passes(self, sampler: Any, token: int) -> bool:
        """Whether a sampler lets this token be."""
        self._data[0].id, self._data[0].logit = token, 1.0
        self._array.data = ctypes.cast(self._data, self._library.llama_token_data_p)
        self._array.size, self._array.selected, self._array.sorted = 1, -1, False
        self._library.llama_sampler_apply(sampler, ctypes.byref(self._array))
        return bool(self._data[0].logit != REFUSED)
