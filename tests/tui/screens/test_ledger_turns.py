"""The last turn in the ledger, what it cost, and what cannot be shown or done."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.containers import VerticalScroll

from ctxchat.domain.conversation import Conversation
from ctxchat.domain.errors import ModelError
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Failure, FilterStep, Predicted, Receipt
from ctxchat.tui.screens.ledger import LedgerClosed
from tests.support.bare_screen import shown
from tests.support.ledgers import Asked, at, listed, offered, said, texts

pytestmark = pytest.mark.anyio


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    asked = Asked(tmp_path)
    yield asked
    asked.desk.database.close()


async def test_the_last_turn_s_prompt_is_listed_and_its_rows_can_be_dropped(asked: Asked) -> None:
    prompt = asked.receipt.prompt
    assert prompt
    async with shown(asked.screen()) as hand:
        await listed(hand)
        await hand.press("tab")
        await hand.until(lambda: len(hand.table) == len(prompt.pieces))
        await hand.until(lambda: hand.said.endswith("rows"))
        assert "question" in [row[0].strip("▲ ") for row in hand.table]
        await hand.type("On stones")
        await hand.until(lambda: len(hand.table) == 1)
        await hand.press("ctrl+d")
        await said(hand, "it is sent no more")
        await hand.press("shift+tab")
        await hand.until(lambda: hand.said.endswith("1 left out"))


async def test_what_the_last_turn_cost_is_told_beside_what_was_foretold(asked: Asked) -> None:
    receipt = replace(
        asked.receipt,
        predicted=Predicted(1.5, 0.02),
        filters=(FilterStep("repeats", 900, 300),),
        error=Failure(4, "it [b]broke"),
    )
    assert receipt.kv
    receipt = replace(receipt, kv=replace(receipt.kv, restored=7, miss="the summary changed"))
    async with shown(asked.screen(receipt=receipt)) as hand:
        await listed(hand)
        await hand.press("tab", "tab")
        svg = "".join(hand.app.export_screenshot().split("&#160;"))
        assert receipt.kv
        for part in (
            f"{receipt.kv.reused:,}reused,7ofthemfromdisk,{receipt.kv.evaluated:,}new",
            "thesummarychanged", f"{receipt.attention_pairs:,}pairs", "predicted1.50s",
            "predicted50.0tok/s", "900→300", "it[b]broke",
        ):  # fmt: skip
            assert part in svg
        assert not offered(hand) & {"Pin", "Drop", "Compact", "Read", "Sort"}
        assert isinstance(hand.app.screen.focused, VerticalScroll)
        await hand.press("tab")
        await listed(hand)
        assert hand.table


async def test_a_conversation_in_use_is_a_line_and_nothing_is_lost(asked: Asked) -> None:
    async with shown(asked.screen()) as hand:
        await at(hand, "On stones")
        with asked.desk.record.hold(asked.conversation.id):
            await hand.press("ctrl+d")
            await said(hand, "the conversation is in use by")
            assert hand.app.screen.query_one("#said").has_class("-wrong")
            assert texts(hand) == ["On stones."]
        await hand.press("ctrl+d")
        await said(hand, "it is sent no more")


async def test_a_prompt_that_cannot_be_counted_is_a_line_and_the_last_turn_is_still_shown(
    asked: Asked,
) -> None:
    def fails(_: Conversation) -> Prompt:
        raise ModelError("there is no model [x]")

    async with shown(asked.screen(standing=fails)) as hand:
        await said(hand, "there is no model [x]")
        await hand.press("ctrl+d", "ctrl+s", "enter", "tab")
        await listed(hand)
        assert hand.table


async def test_before_anything_was_said_every_list_says_so(asked: Asked) -> None:
    async with shown(asked.screen(conversation=None, receipt=None)) as hand:
        await said(hand, "nothing was said yet")
        for _ in range(2):
            await hand.press("tab")
            await said(hand, "nothing was asked here yet")
        await hand.press("escape")
        assert hand.closed == [LedgerClosed()]


async def test_a_turn_that_never_had_a_prompt_has_no_rows(asked: Asked) -> None:
    async with shown(asked.screen(receipt=Receipt("", None))) as hand:
        await listed(hand)
        await hand.press("tab")
        await said(hand, "the last turn never came to a prompt")
        assert hand.table == []


async def test_the_turn_of_another_conversation_is_not_shown_here(asked: Asked) -> None:
    other = asked.desk.record.create("Other", "Be.")
    async with shown(asked.screen(conversation=other.id)) as hand:
        await listed(hand)
        await hand.press("tab")
        await said(hand, "nothing was asked here yet")
