"""What this process may use of the machine: cores and memory."""

import math
import os
from pathlib import Path

from ctxchat.engine.llama.cgroups import memory_left, read

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
MEMORY = Path("/proc/meminfo")
OWN_MEMORY = Path("/proc/self/statm")


def usable_cores() -> int:
    """Cores this process may run on: those of its affinity, and not more than its quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = read(CPU_QUOTA).partition(" ")
    if quota.isdecimal() and period.strip().isdecimal():
        cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


def available_memory() -> int | None:
    """Bytes that can still be taken without swapping, None where that is not known."""
    lines = (line.split() for line in read(MEMORY).splitlines())
    free = next((int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:"), None)
    left = memory_left()
    return left if free is None else min(free, free if left is None else left)


def resident_memory() -> int | None:
    """Bytes of this process in memory, None where that is not known."""
    pages = read(OWN_MEMORY).split()
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE") if pages else None
