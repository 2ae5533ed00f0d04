"""The GPUs that llama.cpp's build can use, and their memory, as ggml tells of them."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ctxchat.engine.llama.bindings import library

OWN_MEMORY, HOST_MEMORY = 1, 2
"""ggml's numbers for a GPU with memory of its own, and for one that shares the host's."""


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU: ggml's name for it, which its buffers begin with, and what it calls itself. Bytes `free` now."""

    name: str
    description: str
    free: int
    total: int
    shares_host: bool = False


def devices() -> tuple[Device, ...]:
    """The GPUs that layers can be offloaded to, in llama.cpp's order: those that share the host's memory
    are used where there are no others. Raises ModelError where its library cannot be loaded."""
    if not library().llama_supports_gpu_offload():
        return ()
    found = tuple(_found())
    return tuple(one for one in found if not one.shares_host) or found


def _found() -> Iterator[Device]:
    registry, base = _registry(), _base()
    for number in range(registry.ggml_backend_dev_count()):
        device = registry.ggml_backend_dev_get(number)
        kind = base.ggml_backend_dev_type(device)
        if kind not in (OWN_MEMORY, HOST_MEMORY):
            continue
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        name, description = (
            told(device).decode("utf-8", "replace")
            for told in (base.ggml_backend_dev_name, base.ggml_backend_dev_description)
        )
        yield Device(name, description, free.value, total.value, kind == HOST_MEMORY)


@cache
def _registry() -> ctypes.CDLL:
    registry = _ggml("ggml")
    registry.ggml_backend_dev_count.restype = ctypes.c_size_t
    registry.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    registry.ggml_backend_dev_get.restype = ctypes.c_void_p
    return registry


@cache
def _base() -> ctypes.CDLL:
    base = _ggml("ggml-base")
    for function, result in (
        ("type", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
    ):
        attribute = getattr(base, f"ggml_backend_dev_{function}")
        attribute.argtypes, attribute.restype = [ctypes.c_void_p], result
    size = ctypes.POINTER(ctypes.c_size_t)
    base.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p, size, size]
    base.ggml_backend_dev_memory.restype = None
    return base


def _ggml(name: str) -> ctypes.CDLL:
    """A library of ggml that libllama has loaded already."""
    folder = Path(str(library().__file__)).parent / "lib"
    return ctypes.CDLL(str(next(p for p in folder.glob(f"lib{name}.*") if p.suffix in (".so", ".dylib"))))
