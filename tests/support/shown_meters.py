"""A panel of meters in an application of its own, and a conversation to show in it."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from ctxchat.domain.conversation import Section
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.events import (
    CostPredicted,
    Prefilled,
    PromptBuilt,
    TurnEvent,
)
from ctxchat.domain.prompt import Piece, Prompt
from ctxchat.domain.receipt import Citation, KvCost, Latency, Memory, Predicted, Receipt
from ctxchat.service.draft_cost import Draft
from ctxchat.tui.meters.panel import CompactMeters, Metering, MetersPanel
from tests.support.shown_turns import receipt

COUNTS = {
    Section.SYSTEM: 96,
    Section.SUMMARY: 240,
    Section.HISTORY: 3120,
    Section.NOTES: 188,
    Section.QUESTION: 412,
}
PROMPT = Prompt(
    tuple(Piece(section, "", tuple(range(tokens))) for section, tokens in COUNTS.items()), 8192, 1024, 4
)
KV = KvCost(
    4056,
    8192,
    3564,
    492,
    23040,
    "f16",
    "f16",
    restored=1200,
    miss="the summary changed at cell 136: the rest was read again [bold]",
)
LAST = receipt(
    prompt=PROMPT,
    kv=replace(KV, cells=4114),
    memory=Memory(96_574_464, 188_743_680, 22_544_384, 201_326_592),
    latency=Latency(
        retrieval=0.009, prefill=1.3, first_token=1.34, decode=1.4, prefill_rate=378.5, decode_rate=41.4
    ),
    predicted=Predicted(1.13, 0.024),
    answer_tokens=58,
    notes=(Citation("n1", "a"), Citation("n2", "b"), Citation("n3", "c")),
)
READING = (
    PromptBuilt(PROMPT),
    CostPredicted(KV, Predicted(1.3), CostCurve(0.0, 0.004, 0.0, 0.02, 0.0)),
    Prefilled(0, 492),
    Prefilled(123, 492),
)


def draft_of(tokens: int, seconds: float | None = None) -> Draft:
    """A draft of so many tokens in the conversation of `PROMPT` and its answer."""
    sections = dict.fromkeys(Section, 0) | COUNTS
    sections |= {Section.HISTORY: 3120 + 470, Section.QUESTION: tokens}
    total = sum(sections.values())
    return Draft(
        tokens,
        total,
        sections,
        window=8192,
        reserve=1024,
        usable=7168,
        reused=4056,
        evaluated=total - 4056,
        predicted=Predicted(seconds),
        fits=total <= 7168,
        exact=True,
    )


class Clock:
    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class Tiny(App[None]):
    def __init__(self, meters: Metering) -> None:
        super().__init__()
        self.meters = meters

    def compose(self) -> ComposeResult:
        yield self.meters


def shown(app: App[None]) -> str:
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


def drawn(meters: Metering, act: Callable[[], object], width: int = 34, height: int = 44) -> str:
    """The screen once `act` was seen; `width` is the panel's, with its padding of one on each side."""

    async def run() -> str:
        app = Tiny(meters)
        async with app.run_test(size=(width, height)) as pilot:
            meters.styles.width = width
            await pilot.pause()
            act()
            await settled(meters, pilot)
            return shown(app)

    return asyncio.run(run())


async def settled(meters: Metering, pilot: Pilot[None]) -> None:
    while meters._waits:
        await asyncio.sleep(0.01)
    await pilot.pause()


def panel(events: Iterable[TurnEvent] = (), *, width: int = 34, height: int = 44, step: float = 0.5) -> str:
    meters = MetersPanel(clock=Clock(step))
    return drawn(meters, lambda: [meters.show(event) for event in events], width, height)


def after(receipts: list[Receipt], *, width: int = 34, height: int = 44) -> str:
    meters = MetersPanel(clock=Clock(0.5))
    return drawn(meters, lambda: meters.show_conversation(receipts), width, height)


def compact(
    events: Iterable[TurnEvent] = (), draft: Draft | None = None, *, width: int = 80, step: float = 0.5
) -> str:
    meters = CompactMeters(clock=Clock(step))

    def act() -> None:
        for event in events:
            meters.show(event)
        meters.show_draft(draft)

    return drawn(meters, act, width, 1)
