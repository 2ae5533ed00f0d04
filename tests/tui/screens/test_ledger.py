"""The ledger on a screen, over a real store and a scripted model."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.containers import VerticalScroll

from ctxchat.context.attachments import Attachment
from ctxchat.context.omissions import DROPPED
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation
from ctxchat.domain.errors import ModelError
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Failure, FilterStep, Predicted, Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.service.pins import PinService
from ctxchat.service.request import AskRequest
from ctxchat.service.rows import RowService
from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.ledger import LedgerClosed, LedgerScreen
from ctxchat.tui.screens.text import TextScreen
from tests.support.bare_screen import Hand, shown
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

pytestmark = pytest.mark.anyio

LOG = "no space left\n" * 50
QUESTIONS = ("Where do snakes live?", "And the log?", "Thanks [bold]\x1b[31m!")


class Asked:
    """A conversation of three turns, the second with data, and the receipt of the last."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder, ScriptedModel(["On stones.", "The disk is full.", "Bye."], window=2048))
        for question in QUESTIONS:
            data = (Attachment("disk.log", LOG),) if "log" in question else ()
            request = AskRequest(question, resume=True, sampling=Sampling(max_tokens=64), attachments=data)
            self.receipt = self.desk.ask(request)

    @property
    def conversation(self) -> Conversation:
        found = self.desk.record.latest()
        assert found
        return found

    def standing(self, conversation: Conversation) -> Prompt:
        return self.desk.service.standing(conversation, 64, Cancel())

    def screen(self, **changes: object) -> LedgerScreen:
        parts = {"conversation": self.conversation.id, "standing": self.standing, "receipt": self.receipt}
        return LedgerScreen(RowService(self.desk.record), **(parts | changes))  # type: ignore[arg-type]


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    asked = Asked(tmp_path)
    yield asked
    asked.desk.database.close()


def texts(hand: Hand) -> list[str]:
    return [row[4] for row in hand.table]


async def listed(hand: Hand) -> None:
    await hand.until(lambda: hand.said.endswith("rows"))


async def at(hand: Hand, typed: str) -> None:
    """The cursor on the only row that is left by what is typed."""
    await listed(hand)
    await hand.type(typed)
    await hand.until(lambda: len(hand.table) == 1)


async def said(hand: Hand, line: str) -> None:
    await hand.until(lambda: hand.said.startswith(line))


def offered(hand: Hand) -> set[str]:
    """What the keys that are offered do."""
    bindings = hand.app.screen.active_bindings.values()
    return {one.binding.description for one in bindings if one.binding.show}


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


async def test_the_cursor_stays_where_something_was_dropped(asked: Asked) -> None:
    async with shown(asked.screen(), (120, 40)) as hand:
        await listed(hand)
        await hand.press(*["down"] * 3)
        assert "snakes" in hand.text("#detail")
        await hand.press("ctrl+d")
        await said(hand, "it is sent no more")
        assert hand.app.screen.query_one("#rows").cursor_row == 3  # type: ignore[attr-defined]


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
            await said(hand, "no turn was asked yet")
        await hand.press("escape")
        assert hand.closed == [LedgerClosed()]


async def test_a_turn_that_never_had_a_prompt_has_no_rows(asked: Asked) -> None:
    async with shown(asked.screen(receipt=Receipt("", None))) as hand:
        await listed(hand)
        await hand.press("tab")
        await said(hand, "no turn was asked yet")
        assert hand.table == []
