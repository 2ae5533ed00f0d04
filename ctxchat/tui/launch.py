"""The terminal UI from its first frame to its end."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ctxchat.tui.start import Start

if TYPE_CHECKING:
    from ctxchat.service.open_services import Services


def run(services: "Services", start: Start) -> int:
    """Open the chat, and return the exit code when the person leaves."""
    with screen_of_our_own():
        from rich.console import Console

        from ctxchat.tui.app import ChatApp

        app = ChatApp(services, start)
        # A failure that nobody expected is raised again below, where the screen is as it was.
        app.error_console = Console(file=io.StringIO())
        code = app.run()
    if app._exception is not None:  # noqa: SLF001 - textual tells it nowhere else
        raise app._exception  # noqa: SLF001
    return code or 0


@contextmanager
def screen_of_our_own() -> Iterator[None]:
    """Draw on a descriptor that nobody else has: what a library writes to stderr would stand in the
    middle of the screen, so it goes nowhere."""
    drawn = os.dup(2) if os.isatty(2) else os.open("/dev/tty", os.O_WRONLY)
    before, stream = os.dup(2), sys.__stderr__
    null = os.open(os.devnull, os.O_WRONLY)
    sys.__stderr__ = open(drawn, "w", encoding="utf-8", errors="replace")  # type: ignore[misc]  # noqa: SIM115
    os.dup2(null, 2)
    try:
        yield
    finally:
        sys.__stderr__.close()
        sys.__stderr__ = stream  # type: ignore[misc]
        os.dup2(before, 2)
        os.close(before)
        os.close(null)
