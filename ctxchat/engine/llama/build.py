"""What this build of llama.cpp is and can use."""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version as version_of
from pathlib import Path

from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.machine import usable_cores
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.threads import choose_threads

GPU_TYPES = (1, 2)
"""ggml's numbers for a GPU with memory of its own, and for one that shares the host's."""


def version() -> str:
    """The version of llama-cpp-python. Raises ModelError where its library cannot be loaded."""
    library()
    return version_of("llama-cpp-python")


def devices() -> list[str]:
    """Names of the GPUs this build can use."""
    return list(_gpus()) if library().llama_supports_gpu_offload() else []


def cores() -> int:
    """Cores this process may use."""
    return usable_cores()


def processor() -> str:
    """The processor as it names itself."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def threads(options: EngineOptions) -> tuple[int, int]:
    """Threads that decode, and that prefill."""
    chosen = choose_threads(usable_cores(), prefill=options.threads_batch, decode=options.threads)
    return chosen.decode, chosen.prefill


def _gpus() -> Iterator[str]:
    registry, base = _ggml("ggml"), _ggml("ggml-base")
    registry.ggml_backend_dev_count.restype = ctypes.c_size_t
    registry.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    registry.ggml_backend_dev_get.restype = ctypes.c_void_p
    for function, result in (("type", ctypes.c_int), ("description", ctypes.c_char_p)):
        attribute = getattr(base, f"ggml_backend_dev_{function}")
        attribute.argtypes, attribute.restype = [ctypes.c_void_p], result
    for number in range(registry.ggml_backend_dev_count()):
        device = registry.ggml_backend_dev_get(number)
        if base.ggml_backend_dev_type(device) in GPU_TYPES:
            yield base.ggml_backend_dev_description(device).decode("utf-8", "replace")


def _ggml(name: str) -> ctypes.CDLL:
    """A library of ggml that libllama has loaded already."""
    folder = Path(str(library().__file__)).parent / "lib"
    return ctypes.CDLL(str(next(p for p in folder.glob(f"lib{name}.*") if p.suffix in (".so", ".dylib"))))
