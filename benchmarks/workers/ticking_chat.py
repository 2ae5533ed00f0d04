"""The real chat on a terminal, with a timer of 10 ms in its loop: reads 4,000 tokens, answers, leaves.

`REPORT NAME [short]`: with `short` it answers a short question without the timer, as `headless_turn` does.
Reports how late the timer came in each phase, in milliseconds, and the tokens a second of the answer.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from asked import SAMPLING_FLAGS, long_text, question
from ctxchat.__main__ import main
from ctxchat.context.attachments import Attachment
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Prefilled, ReasoningGenerated, TextGenerated, TurnEvent
from ctxchat.tui.app import ChatApp
from ctxchat.tui.chat.written import Written

TICK = 0.01
REPORT, NAME = sys.argv[1], sys.argv[2]
SHORT = "short" in sys.argv[3:]
REST_SECONDS = 1 if SHORT else 5
lags: dict[str, list[float]] = {"rest": [], "prefill": [], "decode": []}
phase = ""


async def tick() -> None:
    while True:
        began, at = time.perf_counter(), phase
        await asyncio.sleep(TICK)
        if at and at == phase:
            lags[at].append((time.perf_counter() - began - TICK) * 1000)


def follow(app: ChatApp) -> None:
    """Tell the phase by what the screen takes in."""
    measured = app.chat._measure

    def measure(event: TurnEvent, *, mine: bool) -> None:
        global phase  # noqa: PLW0603 - of the whole process
        if isinstance(event, Prefilled):
            phase = "prefill"
        elif isinstance(event, TextGenerated | ReasoningGenerated):
            phase = "decode"
        measured(event, mine=mine)

    app.chat._measure = measure  # type: ignore[method-assign]


async def drive(app: ChatApp) -> None:
    global phase  # noqa: PLW0603 - of the whole process
    while app.services.chat.model is None or app.chat.work._current is not None:
        await asyncio.sleep(0.05)
    ticking = None if SHORT else asyncio.ensure_future(tick())
    phase = "rest"
    await asyncio.sleep(REST_SECONDS)
    phase = ""
    follow(app)
    attached = () if SHORT else (Attachment("keepers.txt", long_text()),)
    await app.talk.ask(Written(question(), attached))
    while app.chat.busy or not app.receipts:
        await asyncio.sleep(0.05)
    phase = ""
    if ticking is not None:
        ticking.cancel()
    receipt = app.receipts[-1]
    assert receipt.finish in (Finish.LENGTH, Finish.STOP), receipt
    report = {
        "lags": lags,
        "prompt": receipt.prompt.total if receipt.prompt else None,
        "decode": receipt.latency.decode_rate,
    }
    Path(REPORT).write_text(json.dumps(report), "utf-8")
    await app.action_quit()


opened = ChatApp._begin


async def begin(app: ChatApp) -> None:
    await opened(app)
    app.run_worker(drive(app))


ChatApp._begin = begin  # type: ignore[method-assign]
sys.argv = ["ctxchat", "chat", "--session", NAME, *SAMPLING_FLAGS]
main()
