"""The command `ctxchat` up to its first frame, where the process ends."""

import os
import sys

from ctxchat.__main__ import main
from ctxchat.tui.app import ChatApp


async def _end(_: ChatApp) -> None:
    os._exit(0)


ChatApp._begin = _end  # type: ignore[method-assign]
sys.argv = ["ctxchat", *sys.argv[1:]]
main()
