"""The terminal UI from its first frame to its end."""

import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ctxchat.tui.screen_stream import screen_of_our_own

if TYPE_CHECKING:
    from ctxchat.service.open_services import Services
    from ctxchat.settings.schema import Settings
    from ctxchat.tui.start import Start

SWITCH = 0.0005
"""Seconds for which one thread may keep the interpreter where another wants it: a tenth of Python's own."""


def run(open_services: "Callable[[Settings], Services]", start: "Start") -> int:
    """Open the chat, and return the exit code when the person leaves.

    Settings are read, and services opened, behind the first frame. Raises CtxChatError where that fails.
    """
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)  # Where a shell exports them, the screen would keep that size for good.
    # The thread that decodes asks for the interpreter at every token: it shall not wait out a drawing.
    sys.setswitchinterval(SWITCH)
    with screen_of_our_own():
        from rich.console import Console

        from ctxchat.tui.app import ChatApp
        from ctxchat.tui.terminal_input import decode_leniently

        decode_leniently()
        app = ChatApp(open_services, start)
        # A failure that nobody expected is raised again below, where the screen is as it was.
        app.error_console = Console(file=io.StringIO())
        code = app.run()
    if app.unopened is not None:
        raise app.unopened
    if app._exception is not None:  # noqa: SLF001 - textual tells it nowhere else
        raise app._exception  # noqa: SLF001
    return code or 0
