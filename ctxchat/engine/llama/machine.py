"""What this process may use of the machine: cores and memory."""

import math
import os
from pathlib import Path

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
MEMORY_USED = Path("/sys/fs/cgroup/memory.current")
MEMORY = Path("/proc/meminfo")
OWN_MEMORY = Path("/proc/self/statm")


def usable_cores() -> int:
    """Cores this process may run on: those of its affinity, and not more than its quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(CPU_QUOTA).partition(" ")
    if quota.isdecimal() and period.strip().isdecimal():
        cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


def available_memory() -> int | None:
    """Bytes that can still be taken without swapping, None where that is not known."""
    lines = (line.split() for line in _read(MEMORY).splitlines())
    free = next((int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:"), None)
    limit, used = _read(MEMORY_LIMIT).strip(), _read(MEMORY_USED).strip()
    if free is not None and limit.isdecimal() and used.isdecimal():
        free = min(free, max(0, int(limit) - int(used)))
    return free


def resident_memory() -> int | None:
    """Bytes of this process in memory, None where that is not known."""
    pages = _read(OWN_MEMORY).split()
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE") if pages else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
