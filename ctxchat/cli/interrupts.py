"""Ctrl-C while a turn runs: the first stops it, the second leaves at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ctxchat.cli.failures import INTERRUPTED
from ctxchat.cli.terminal.status import ERASE_LINE
from ctxchat.domain.cancel import Cancel


@contextmanager
def cancelled_by_interrupt(cancel: Cancel) -> Iterator[None]:
    """Ask for a cancel at the first SIGINT; at the second the process ends where it stands."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if cancel.requested:
            # No stream is written: the signal may have come in the middle of a write.
            if os.isatty(2):
                os.write(2, ERASE_LINE.encode())
            os._exit(INTERRUPTED)
        cancel.request()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
