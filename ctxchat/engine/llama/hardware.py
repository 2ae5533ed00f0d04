"""GPUs this machine has, whether or not llama.cpp's build can use them."""

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from ctxchat.domain.model import UnusedGpu
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.cgroups import read

NVIDIA = Path("/proc/driver/nvidia/gpus")
AMD = Path("/dev/kfd")
DEVICES = Path("/dev")
CARDS = Path("/sys/class/drm")
_VENDORS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
_FLAGS = {"NVIDIA": "CUDA", "AMD": "HIP", "Intel": "VULKAN", "Apple": "METAL"}


def unused_gpu() -> UnusedGpu | None:
    """A GPU of this machine that this build has no support for. Raises ModelError where llama.cpp's library
    cannot be loaded."""
    if library().llama_supports_gpu_offload():
        return None
    maker = next(_makers(), None)
    if maker is None:
        return None
    flag = _FLAGS[maker]
    return UnusedGpu(
        f"this machine has a GPU ({maker}), and llama-cpp-python was built without support for it",
        f'CMAKE_ARGS="-DGGML_{flag}=on" pip install --force-reinstall --no-cache-dir llama-cpp-python',
    )


def no_gpu_support() -> str | None:
    """What to tell somebody who wants layers on a GPU that cannot be used, None where none is there."""
    unused = unused_gpu()
    return f"{unused.seen}, so all layers stay on the CPU: {unused.mend}" if unused else None


def _makers() -> Iterator[str]:
    """Makers of the GPUs there are, as the system lists them without any library of theirs."""
    if any(_listed(NVIDIA, "*")) or any(_listed(DEVICES, "nvidia[0-9]*")):
        yield "NVIDIA"
    if AMD.exists():
        yield "AMD"
    for vendor in _listed(CARDS, "renderD*/device/vendor"):
        maker = _VENDORS.get(read(vendor).strip())
        if maker:
            yield maker
    if sys.platform == "darwin" and platform.machine() == "arm64":
        yield "Apple"


def _listed(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
