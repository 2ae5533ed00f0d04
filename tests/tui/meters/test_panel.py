import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from textual.app import App, ComposeResult
from textual.color import Color
from textual.pilot import Pilot

from ctxchat.domain.conversation import Section
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.events import (
    Compacting,
    CostPredicted,
    ModelLoading,
    Prefilled,
    PromptBuilt,
    TextGenerated,
    TurnEvent,
)
from ctxchat.domain.prompt import Piece, Prompt
from ctxchat.domain.receipt import Citation, KvCost, Latency, Memory, Predicted, Receipt
from ctxchat.tui.meters.colours import BLUE, GLYPHS
from ctxchat.tui.meters.figures import Draft, Figures
from ctxchat.tui.meters.panel import CompactMeters, Metering, MetersPanel
from tests.support.shown_turns import receipt, turn

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


def test_before_anything_is_known_the_panel_says_so_and_the_word_kv_stands_there() -> None:
    screen = panel()
    assert "KV 0 cells" in screen
    assert "no turn yet" in screen
    assert "– tok/s" in screen


@pytest.mark.parametrize("width", [20, 34, 46])
def test_no_line_is_longer_than_the_panel_and_the_bars_fill_it(width: int) -> None:
    screen = after([LAST] * 14, width=width)
    lines = screen.splitlines()
    assert max(map(len, lines)) <= width - 1
    bars = [line.strip() for line in lines if line.strip().startswith("██")]
    assert [len(bar) for bar in bars[:2]] == [width - 2, width - 2]
    assert "…" not in screen.split("Last turn")[0].replace("at cell …", "")


def test_a_narrow_row_has_its_tokens_alone() -> None:
    assert " █ history    3,120" in after([LAST], width=20)


@pytest.mark.parametrize("width", [34, 46])
def test_every_source_has_a_row_with_its_tokens_and_its_percent(width: int) -> None:
    rows = [line.split()[1:] for line in after([LAST], width=width).splitlines()]
    for row in (
        ["history", "3,120", "38", "%"],
        ["system", "96", "1", "%"],
        ["reserve", "1,024", "12", "%"],
        ["free", "3,112", "38", "%"],
    ):
        assert row in rows


def test_where_there_is_room_sources_that_take_nothing_have_a_row_too() -> None:
    assert "pins" not in after([LAST], height=45)
    tall = after([LAST], height=46)
    assert all(section in tall for section in Section)
    assert "median" in tall


def test_the_cache_is_told_in_cells_bytes_and_parts() -> None:
    screen = after([LAST])
    assert "KV 4,114 of 8,192 cells  94.8 MB" in screen
    assert "2,364 reused" in screen
    assert "1,200 from disk" in screen
    assert "492 new" in screen
    assert "58 answer" in screen


def test_where_reuse_ended_is_told_in_two_lines_and_never_as_markup() -> None:
    assert "the summary changed at cell 136:" in after([LAST])
    assert "the rest was read again [bold]" in after([LAST])


def test_reading_shows_how_far_it_is_its_rate_and_the_time_left() -> None:
    screen = panel(READING)
    assert "123/492 · 25 %" in screen
    assert "1.50 s left" in screen
    assert "prefill     246 tok/s" in screen
    assert "KV 3,687 of 8,192 cells" in screen


def test_answering_counts_its_texts_as_an_estimate_and_its_rate() -> None:
    screen = panel([*READING, Prefilled(492, 492), *[TextGenerated("a")] * 20])
    assert "answering" in screen
    assert "~20 tokens" in screen
    assert "decode      2.0 tok/s" in screen
    assert "KV ~4,076 of 8,192" in screen


def test_loading_and_folding_are_told() -> None:
    assert "loading the model" in panel([ModelLoading(43, 100)])
    assert "43 %" in panel([ModelLoading(43, 100)])
    assert "folding old turns" in panel([Compacting(9, 2914)])


def test_the_last_turn_is_told_with_how_near_its_forecast_was() -> None:
    screen = after([LAST])
    for line in (
        "first token  1.34 s",
        "prompt       4,056 tokens",
        "  from cache 3,564 (87 %)",
        "answer       58 tokens",
        "recall       3 notes, 9 ms",
        "prefill      1.30 s",
        "  foretold   1.13 s −13 %",
        "weights 96.6 MB  compute 22.5 MB",
        "KV 188.7 MB  resident 201.3 MB",
    ):
        assert line in screen


def test_what_is_not_known_of_the_last_turn_is_a_dash() -> None:
    screen = after([Receipt("", None)])
    assert "first token  –" in screen
    assert "  foretold   –" in screen


def test_a_draft_is_a_part_of_the_bar_and_a_line_with_its_cost() -> None:
    meters = MetersPanel(clock=Clock(0.5))

    def act() -> None:
        meters.show_conversation([LAST])
        meters.show_draft(Draft(412, 4526, 470, 0.9, True, 8192, 1024))

    screen = drawn(meters, act)
    assert "+412 → 4,526   470 new ~0.90 s" in screen
    assert "▒▒▒▒▒▒░" in screen


def test_a_draft_that_does_not_fit_says_so() -> None:
    meters = MetersPanel(clock=Clock(0.5))
    draft = Draft(9000, 13_056, 9000, None, False, 8192, 1024)
    assert "does not fit" in drawn(meters, lambda: meters.show_draft(draft))


def test_a_conversation_that_was_known_before_the_panel_stood_is_shown_once_it_stands() -> None:
    meters = MetersPanel(clock=Clock(0.5))
    meters.show_conversation([LAST])
    assert "KV 4,114 of 8,192 cells" in drawn(meters, lambda: None)


def test_a_panel_that_was_hidden_shows_what_came_meanwhile() -> None:
    async def run() -> str:
        meters = MetersPanel(clock=Clock(0.5))
        app = Tiny(meters)
        async with app.run_test(size=(34, 44)) as pilot:
            meters.display = False
            await pilot.pause()
            meters.show_conversation([LAST])
            meters.display = True
            await pilot.pause()
            return shown(app)

    assert "KV 4,114 of 8,192 cells" in asyncio.run(run())


def test_another_conversation_begins_without_figures() -> None:
    meters = MetersPanel(clock=Clock(0.5))

    def act() -> None:
        for event in turn(["a"]):
            meters.show(event)
        meters.show_conversation([])

    assert "no turn yet" in drawn(meters, act)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_one_row_holds_the_bar_the_word_kv_and_the_tokens_used(width: int) -> None:
    row = compact(turn(["a"]), width=width)
    assert "KV 900/2,048 tokens" in row
    assert "█" in row
    assert len(row) <= width


def test_one_row_says_what_the_turn_is_at_or_what_the_draft_would_cost() -> None:
    assert "reading 25 %, 1.50 s left" in compact(READING)
    assert "2.0 tok/s" in compact([*READING, Prefilled(492, 492), *[TextGenerated("a")] * 4])
    assert "draft 12" in compact(draft=Draft(12, 40, 40, None, True, 8192, 1024))
    assert "does not fit" in compact(draft=Draft(12, 9000, 40, None, False, 8192, 1024))


def test_a_row_that_is_too_narrow_for_a_bar_still_has_the_tokens() -> None:
    assert compact(turn(["a"]), width=24).strip() == "KV 900/2,048 tokens"


def test_without_colours_parts_are_drawn_with_glyphs_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = after([LAST])
    for section in COUNTS:
        assert f"{GLYPHS[section]} {section}" in screen


def test_a_source_is_drawn_in_its_colour() -> None:
    async def run() -> set[str]:
        meters = MetersPanel()
        async with Tiny(meters).run_test(size=(34, 44)) as pilot:
            meters.show_conversation([LAST])
            await pilot.pause()
            strip = pilot.app.screen._compositor.render_strips()[1]
            return {
                str(segment.style.color.name) for segment in strip if segment.style and "██" in segment.text
            }

    assert Color.parse(BLUE).hex.lower() in asyncio.run(run())


def test_texts_that_come_fast_are_drawn_once_and_all_of_them_are_counted() -> None:
    drawings: list[Figures] = []

    class Counting(MetersPanel):
        def _draw(self) -> None:
            drawings.append(self._figures)
            super()._draw()

    meters = Counting(clock=Clock(0.001))

    def act() -> None:
        for event in READING[:2]:
            meters.show(event)
        drawings.clear()
        for _ in range(1000):
            meters.show(TextGenerated("a"))

    drawn(meters, act)
    assert [figures.progress.texts for figures in drawings] == [1000]


def test_a_meter_whose_lines_are_the_same_is_not_rendered_again() -> None:
    async def run() -> list[bool]:
        meters = MetersPanel(clock=Clock(0.5))
        async with Tiny(meters).run_test(size=(34, 44)) as pilot:
            meters.show_conversation([LAST])
            await pilot.pause()
            meters.show_draft(Draft(1, 5, 1, None, True, 8192, 1024))
            return [meter._repaint_required for meter in meters._meters]

    assert asyncio.run(run()) == [True, False, False, False]
