"""The real chat on a terminal, left by its key in the phase that is named. `REPORT NAME PHASE`.

Reports when the key was pressed, and what of the answer stood on the screen then.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from asked import SAMPLING_FLAGS, long_text, question
from ctxchat.__main__ import main
from ctxchat.context.attachments import Attachment
from ctxchat.domain.events import Prefilled, TextGenerated, TurnEvent
from ctxchat.tui.app import ChatApp
from ctxchat.tui.chat.written import Written

REPORT, NAME, PHASE = sys.argv[1:4]
DECODED = 20


class Leaver:
    """Presses the key once the phase is reached."""

    def __init__(self, app: ChatApp) -> None:
        self._app = app
        self._decoded = 0
        self._left = False
        self._measured = app.chat._measure
        app.chat._measure = self.measure  # type: ignore[method-assign]

    def measure(self, event: TurnEvent, *, mine: bool) -> None:
        self._measured(event, mine=mine)
        self._decoded += isinstance(event, TextGenerated)
        if (PHASE == "prefill" and isinstance(event, Prefilled) and event.done > 0) or (
            PHASE == "decode" and self._decoded >= DECODED
        ):
            self.leave()

    def leave(self) -> None:
        if self._left:
            return
        self._left = True
        turns = self._app.chat.transcript.turns
        report = {"pressed": time.time(), "answered": turns[-1].shown.answer if turns else ""}
        Path(REPORT).write_text(json.dumps(report), "utf-8")
        self._app.simulate_key("ctrl+q")


async def drive(app: ChatApp) -> None:
    leaver, work = Leaver(app), app.chat.work
    if PHASE == "loading":
        while work._current is None:
            await asyncio.sleep(0.001)
        leaver.leave()
        return
    while app.services.chat.model is None or work._current is not None:
        await asyncio.sleep(0.05)
    attached = (Attachment("keepers.txt", long_text()),) if PHASE == "prefill" else ()
    await app.talk.ask(Written(question(), attached))
    if PHASE == "upkeep":
        while not (app.receipts and work._current is not None and work._current.yields):
            await asyncio.sleep(0.001)
        leaver.leave()


opened = ChatApp._begin


async def begin(app: ChatApp) -> None:
    await opened(app)
    app.run_worker(drive(app))


ChatApp._begin = begin  # type: ignore[method-assign]
sys.argv = ["ctxchat", "chat", "--session", NAME, *SAMPLING_FLAGS]
main()
