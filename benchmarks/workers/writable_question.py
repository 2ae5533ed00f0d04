"""The command `ctxchat` until a question can be written in the chat, where the process ends."""

import os
import sys

from ctxchat.__main__ import main
from ctxchat.tui.app import ChatApp


async def _end(app: ChatApp) -> None:
    app.call_after_refresh(os._exit, 0)


ChatApp._open = _end  # type: ignore[method-assign]
sys.argv = ["ctxchat"]
main()
