"""What this build of llama.cpp is and can use."""

import platform
from contextlib import suppress
from importlib.metadata import version as version_of
from pathlib import Path

from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.devices import devices
from ctxchat.engine.llama.machine import usable_cores
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.threads import choose_threads


def version() -> str:
    """The version of llama-cpp-python. Raises ModelError where its library cannot be loaded."""
    library()
    return version_of("llama-cpp-python")


def device_names() -> list[str]:
    """Names of the GPUs this build can use."""
    return [device.description for device in devices()]


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
