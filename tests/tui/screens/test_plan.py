"""The plan as dials: what each turn of one changes."""

import pytest

from ctxchat.domain.errors import ModelError
from ctxchat.service.plan import Costing
from ctxchat.tui.screens.plan import PlanScreen
from tests.support.bare_screen import Hand, shown
from tests.support.costings import costing_of, prompt_of

pytestmark = pytest.mark.anyio


def screen() -> PlanScreen:
    return PlanScreen(lambda: costing_of(prompt_of([[5], []], [7, 8]), reused=40))


def costs(hand: Hand) -> dict[str, list[str]]:
    """Now, then and the change, by what they are of."""
    found = {}
    for line in hand.text("#costs").splitlines()[1:]:
        cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
        if len(cells) > 1:
            found[cells[0]] = cells[1:]
    return found


async def opened(hand: Hand) -> None:
    await hand.until(lambda: bool(hand.app.screen.query("#costs")) and bool(hand.text("#costs")))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_it_begins_with_the_prompt_as_it_is(size: tuple[int, int]) -> None:
    async with shown(screen(), size) as hand:
        await opened(hand)
        assert hand.text("#total").startswith("110 of 1,000 tokens that may be used")
        assert costs(hand)["prompt, tokens"] == ["110", "110"]
        assert costs(hand)["until it is read"] == ["0.70 s", "0.70 s"]
        assert costs(hand)["answer speed"] == ["50.0 tok/s", "50.0 tok/s"]
        assert hand.app.screen.query_one("#costs").region.height >= 8


async def test_less_budget_leaves_out_turns_and_tells_the_flag() -> None:
    async with shown(screen()) as hand:
        await opened(hand)
        await hand.press("home", "right", "right")
        assert costs(hand)["prompt, tokens"] == ["110", "70", "-40"]
        assert "left out of history: turn 1, 40 tokens" in hand.text("#costs")
        assert hand.said == "to keep it: ctxchat --budget 93"


async def test_smaller_keys_take_fewer_bytes_and_are_read_anew() -> None:
    async with shown(screen()) as hand:
        await opened(hand)
        await hand.press("down", "right")
        assert costs(hand)["KV"] == ["11.0 kB", "6.6 kB", "-4.4 kB"]
        assert costs(hand)["read anew"] == ["70", "110", "+40"]
        assert costs(hand)["until it is read"] == ["0.70 s", "–"]
        assert hand.said == "to keep it: ctxchat --cache-type-k q8_0"


async def test_fewer_turns_and_fewer_notes_are_dialled() -> None:
    async with shown(screen()) as hand:
        await opened(hand)
        await hand.press("down", "down", "home")
        assert costs(hand)["prompt, tokens"] == ["110", "40", "-70"]
        await hand.press("end", "down", "left")
        assert costs(hand)["recalled"] == ["20", "15", "-5"]
        await hand.press("r")
        await hand.until(lambda: costs(hand)["recalled"] == ["20", "20"])


async def test_a_question_that_needs_more_is_told() -> None:
    async with shown(screen()) as hand:
        await opened(hand)
        await hand.press("home")
        assert hand.said == "9 tokens too many: the question alone needs more"


async def test_where_there_is_nothing_to_cost_it_says_so_and_escape_closes() -> None:
    async with shown(PlanScreen(lambda: None)) as hand:
        await hand.until(lambda: hand.said.startswith("there is no prompt"))
        await hand.press("r", "escape")
        assert hand.closed == [None]


async def test_a_model_that_cannot_be_opened_is_a_line() -> None:
    def fails() -> Costing | None:
        raise ModelError("there is no model [x]")

    async with shown(PlanScreen(fails)) as hand:
        await hand.until(lambda: hand.said == "there is no model [x]")
