"""Questions, failures, help and texts."""

import pytest
from textual.containers import VerticalScroll

from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.failure import FailureScreen, WayOn
from ctxchat.tui.screens.help import METERS, HelpRow, HelpScreen
from ctxchat.tui.screens.prompt import PromptScreen
from ctxchat.tui.screens.text import TextScreen
from tests.support.bare_screen import shown

pytestmark = pytest.mark.anyio

RETRY, QUIT = WayOn("retry", "Try again"), WayOn("quit", "Quit [now]")


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], False), (["escape"], False), (["n"], False), (["y"], True),
        (["right", "enter"], True), (["tab", "enter"], True), (["right", "left", "enter"], False),
    ],
)  # fmt: skip
async def test_a_question_is_no_until_one_says_yes(keys: list[str], answer: bool) -> None:
    async with shown(ConfirmScreen("Delete [b]it[/b]?\x1b[31m")) as hand:
        assert hand.text("#question") == "Delete [b]it[/b]?[31m"
        await hand.press(*keys)
        assert hand.closed == [answer]


async def test_a_line_is_taken_once_nothing_is_wrong_with_it() -> None:
    def check(value: str) -> str | None:
        return None if value.endswith("!") else "it lacks a bang"

    async with shown(PromptScreen("A name", "old", "any", check)) as hand:
        assert hand.said == "any"
        await hand.press("enter")
        assert hand.said == "it lacks a bang"
        await hand.press("!", "enter")
        assert hand.closed == ["old!"]


async def test_a_line_that_is_given_up_is_none() -> None:
    async with shown(PromptScreen("A name", "old")) as hand:
        await hand.press("x", "escape")
        assert hand.closed == [None]


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
@pytest.mark.parametrize(
    ("keys", "way"),
    [(["enter"], RETRY), (["right", "enter"], QUIT), (["tab", "enter"], QUIT), (["escape"], None)],
)
async def test_a_failure_has_ways_on(keys: list[str], way: WayOn | None, size: tuple[int, int]) -> None:
    async with shown(FailureScreen("It broke", "because [of] it\n" * 40, [RETRY, QUIT]), size) as hand:
        assert hand.text("#message").startswith("because [of] it")
        assert hand.app.screen.query_one("#way-1").region.bottom < size[1] - 1
        await hand.press(*keys)
        assert hand.closed == [way]


async def test_help_names_all_keys_and_commands_and_says_what_meters_mean() -> None:
    rows = [HelpRow("/model NAME", "use another"), HelpRow("/quit", "leave")]
    async with shown(HelpScreen(rows, [HelpRow("Ctrl-G", "write in [EDITOR]")])) as hand:
        text = hand.text("#text")
        assert all(name in text for row in rows for name in (row.name, row.does))
        assert "write in [EDITOR]" in text
        assert all(sentence in text for sentence in METERS)
        assert len(METERS) == 3
        await hand.press("enter")
        assert hand.closed == [None]


async def test_a_long_text_is_scrolled_by_keys() -> None:
    async with shown(TextScreen("A [b]title", "\n".join(map(str, range(200))))) as hand:
        scroll = hand.app.screen.query_one(VerticalScroll)
        await hand.press("pagedown", "down")
        await hand.until(lambda: scroll.scroll_offset.y > 10)
        await hand.press("pageup", "up")
        await hand.until(lambda: scroll.scroll_offset.y == 0)
        await hand.press("end")
        await hand.until(lambda: scroll.scroll_offset.y == scroll.max_scroll_y)
        await hand.press("q")
        assert hand.closed == [None]
