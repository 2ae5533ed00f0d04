"""The ledger on a screen, over a real store and a scripted model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.context.omissions import DROPPED
from ctxchat.service.pins import PinService
from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.ledger import LedgerClosed
from ctxchat.tui.screens.text import TextScreen
from tests.support.bare_screen import shown
from tests.support.ledgers import LOG, QUESTIONS, Asked, at, listed, offered, said, texts

pytestmark = pytest.mark.anyio


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    asked = Asked(tmp_path)
    yield asked
    asked.desk.database.close()


async def test_every_piece_of_the_next_prompt_is_a_row_with_its_share(asked: Asked) -> None:
    prompt = asked.standing(asked.conversation)
    async with shown(asked.screen(), (120, 40)) as hand:
        await listed(hand)
        assert [row[2] for row in hand.table] == [f"{len(piece.ids):,}" for piece in prompt.pieces]
        assert [row[0].removeprefix("▲").strip() for row in hand.table] == [p.section for p in prompt.pieces]
        share = f"{100 * len(LOG) / prompt.usable:.1f} %"
        (data,) = (row for row in hand.table if row[4].startswith("no space"))
        assert data[:4] == ("▲ data", "2", f"{len(LOG):,}", share)
        sums = hand.text("#sums").splitlines()
        told = {line[:14].strip(): line[14:].split() for line in sums}
        assert told["data"] == [f"{len(LOG):,}", *share.split()]
        assert told["in all"][0] == f"{prompt.total:,}"
        assert told["may be used"] == [f"{prompt.usable:,}"]


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_it_is_usable_on_a_small_screen(asked: Asked, size: tuple[int, int]) -> None:
    prompt = asked.standing(asked.conversation)
    async with shown(asked.screen(), size) as hand:
        await listed(hand)
        whole = f"{prompt.total:,} of {prompt.usable:,} tokens that may be used"
        assert hand.text("#sum-line").startswith(whole)
        assert hand.app.screen.query_one("#rows").region.height >= 7
        assert len(hand.table[0]) == 5
        await hand.type("data")
        await hand.until(lambda: hand.table[0][0] == "▲ data")
        assert hand.app.screen.query_one("#detail").region.height == 2


async def test_a_heavy_row_says_what_makes_it_lighter(asked: Asked) -> None:
    async with shown(asked.screen()) as hand:
        await at(hand, "data no space")
        assert hand.text("#detail").startswith("heavy: 700 tokens, 35.3 % of what may be used: Ctrl-D drops")


async def test_what_is_typed_finds_sections_turns_and_words(asked: Asked) -> None:
    async with shown(asked.screen()) as hand:
        await listed(hand)
        await hand.type("history turn 1")
        await hand.until(lambda: texts(hand) == ["Where do snakes live?", "On stones."])
        assert hand.said.startswith("2 of ")


async def test_rows_are_sorted_by_weight_and_back(asked: Asked) -> None:
    async with shown(asked.screen()) as hand:
        await listed(hand)
        before = hand.table
        await hand.press("ctrl+s")
        tokens = [int(row[2].replace(",", "")) for row in hand.table]
        assert tokens == sorted(tokens, reverse=True)
        await hand.press("ctrl+s")
        assert hand.table == before


async def test_a_text_is_read_whole_and_drives_no_terminal(asked: Asked) -> None:
    async with shown(asked.screen()) as hand:
        await at(hand, "Thanks")
        assert texts(hand) == ["Thanks [bold][31m!"]
        await hand.press("enter")
        assert isinstance(hand.app.screen, TextScreen)
        assert hand.text("#text") == "Thanks [bold][31m!"
        await hand.press("escape", "escape")
        assert hand.closed == [LedgerClosed()]


async def test_a_row_is_pinned(asked: Asked) -> None:
    async with shown(asked.screen()) as hand:
        await at(hand, "On stones")
        await hand.press("ctrl+k")
        await said(hand, "it now stands in every prompt")
        await hand.press("escape")
        assert hand.closed == [LedgerClosed(changed=True)]
    assert [pin.text for pin in PinService(asked.desk.record).listing(None)] == ["On stones."]


async def test_a_turn_is_dropped_and_put_back(asked: Asked) -> None:
    before = asked.standing(asked.conversation)
    async with shown(asked.screen()) as hand:
        await at(hand, "On stones")
        assert offered(hand) >= {"Pin", "Drop", "Compact"}
        await hand.press("ctrl+d")
        await said(hand, "it is sent no more")
        assert hand.text("#sum-line").startswith(f"{before.total - 35:,} of ")
        await hand.press("ctrl+u")
        await hand.type("left out")
        await hand.until(lambda: [row[0] for row in hand.table] == ["✕ history"])
        assert hand.table[0][2:4] == ("31", "–")
        assert texts(hand)[0].startswith(f"{DROPPED}: Where")
        assert hand.text("#detail").startswith(f"left out, {DROPPED}: Ctrl-D puts it back")
        assert "Put back" in offered(hand)
        assert not offered(hand) & {"Pin", "Drop", "Compact"}
        await hand.press("ctrl+d")
        await said(hand, "it is sent again")
        await hand.press("escape")
        assert hand.closed == [LedgerClosed(changed=True)]
    assert asked.standing(asked.conversation) == before


async def test_the_key_that_dropped_a_row_puts_it_back(asked: Asked) -> None:
    before = asked.standing(asked.conversation)
    async with shown(asked.screen(), (120, 40)) as hand:
        await listed(hand)
        rows = hand.table
        await hand.press(*["down"] * 3)
        assert hand.text("#detail") == QUESTIONS[0]
        await hand.press("ctrl+d")
        await said(hand, "it is sent no more")
        assert hand.text("#detail").startswith("left out")
        await hand.press("ctrl+d")
        await said(hand, "it is sent again")
        assert hand.text("#detail") == QUESTIONS[0]
        assert hand.table == rows
    assert asked.standing(asked.conversation) == before


async def test_data_alone_is_given_back(asked: Asked) -> None:
    async with shown(asked.screen()) as hand:
        await at(hand, "data no space")
        await hand.press("ctrl+d")
        await said(hand, "it is sent no more")
        assert [row[0] for row in hand.table] == ["✕ data"]
    text = "".join(piece.text for piece in asked.standing(asked.conversation).pieces)
    assert "no space" not in text
    assert "And the log?" in text


async def test_turns_are_compacted_up_to_a_row_once_one_says_yes(asked: Asked) -> None:
    message = asked.desk.path()[3].id
    async with shown(asked.screen()) as hand:
        await at(hand, "The disk is full")
        await hand.press("ctrl+o")
        assert isinstance(hand.app.screen, ConfirmScreen)
        assert "up to turn 2, 7" in hand.text("#question")
        await hand.press("enter")
        assert hand.closed == []
        await hand.press("ctrl+o", "y")
        await hand.until(lambda: bool(hand.closed))
        assert hand.closed == [LedgerClosed(changed=False, compact=message)]
    assert asked.desk.blocks() == ()


async def test_the_program_s_own_words_are_read_and_no_more(asked: Asked) -> None:
    async with shown(asked.screen()) as hand:
        await at(hand, "system Be.")
        assert offered(hand) == {"Read", "More", "Close", "Sort"}
        await hand.press("ctrl+k", "ctrl+d", "ctrl+o")
        assert hand.app.screen.query("#rows")
        await hand.press("escape")
        assert hand.closed == [LedgerClosed()]
