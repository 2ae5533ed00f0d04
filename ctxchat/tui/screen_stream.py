"""The stream the screen is drawn on."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def screen_of_our_own() -> Iterator[None]:
    """Draw on a descriptor that nobody else has: what a library writes to stderr would stand in the
    middle of the screen, so it goes nowhere."""
    drawn = os.dup(2) if os.isatty(2) else os.open("/dev/tty", os.O_WRONLY)
    before, stream = os.dup(2), sys.__stderr__
    null = os.open(os.devnull, os.O_WRONLY)
    sys.__stderr__ = os.fdopen(drawn, "w", encoding="utf-8", errors="replace")  # type: ignore[misc]
    os.dup2(null, 2)
    try:
        yield
    finally:
        sys.__stderr__.close()
        sys.__stderr__ = stream  # type: ignore[misc]
        os.dup2(before, 2)
        os.close(before)
        os.close(null)


@contextmanager
def stderr_on_screen() -> Iterator[None]:
    """Let a program that is started meanwhile write where the screen is."""
    null = os.dup(2)
    if sys.__stderr__ is not None:
        os.dup2(sys.__stderr__.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(null, 2)
        os.close(null)
