import asyncio
from dataclasses import replace

import pytest
from textual.color import Color

from ctxchat.domain.conversation import Section
from ctxchat.domain.events import Compacting, ModelLoading, Prefilled, TextGenerated
from ctxchat.domain.receipt import DeviceMemory, Receipt
from ctxchat.tui.meters.colours import DARK, GLYPHS
from ctxchat.tui.meters.figures import Figures
from ctxchat.tui.meters.panel import MetersPanel
from tests.support.shown_meters import (
    COUNTS,
    LAST,
    READING,
    Clock,
    Tiny,
    after,
    draft_of,
    drawn,
    panel,
    shown,
)
from tests.support.shown_turns import turn


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
        meters.show_draft(draft_of(412, 0.9))

    screen = drawn(meters, act)
    assert "+412 → 4,526   470 new ~0.90 s" in screen
    assert "██▒▒▒▒▒▒░" in screen
    assert ["question", "0", "0", "%"] in [line.split()[1:] for line in screen.splitlines()]


def test_a_draft_that_does_not_fit_says_so() -> None:
    meters = MetersPanel(clock=Clock(0.5))
    draft = draft_of(9000)
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

    assert Color.parse(DARK.blue).hex.lower() in asyncio.run(run())


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
            meters.show_draft(draft_of(1))
            return [meter._repaint_required for meter in meters._meters]

    assert asyncio.run(run()) == [True, False, False, False]


def test_what_lies_on_devices_is_told_with_what_is_free_there() -> None:
    assert LAST.memory
    devices = (DeviceMemory("CUDA0", 70_000_000_000, 5_200_000_000), DeviceMemory("CUDA1", None, 96_574_464))
    screen = after([replace(LAST, memory=replace(LAST.memory, devices=devices))])
    assert "CUDA0 5.2 GB, 70.0 GB free" in screen
    assert "CUDA1 96.6 MB, – free" in screen
    assert "CUDA" not in after([LAST])
