"""The clock of a turn, which counts from the start of the process."""

import os
import time
from datetime import datetime
from pathlib import Path

from ctxchat import IMPORTED_AT


class SystemClock:
    """The time of day, and seconds since the process began.

    Linux tells when a process began, to 10 ms; elsewhere the moment this package was imported
    stands in for it.
    """

    def __init__(self) -> None:
        self._began = _process_start() or IMPORTED_AT

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def seconds(self) -> float:
        return time.monotonic() - self._began


def _process_start() -> float | None:
    """The moment the process began, on the monotonic clock. Source: proc(5), field 22 of stat."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        after_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
    return after_boot - (time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic())
