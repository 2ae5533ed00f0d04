"""Summaries on a screen: read, edited, taken back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.widgets import TextArea

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation
from ctxchat.domain.errors import EngineError, UsageError
from ctxchat.domain.ports import Vocabulary
from ctxchat.domain.sampling import Sampling
from ctxchat.service.request import AskRequest
from ctxchat.service.summaries import SummaryService
from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.edit import EditScreen
from ctxchat.tui.screens.summary import SummaryClosed, SummaryScreen
from ctxchat.tui.screens.text import TextScreen
from tests.support.bare_screen import Hand, shown
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

pytestmark = pytest.mark.anyio

ANSWERS = ("The cold stone weighs 4711 g in the shade.", "It lies in a hole [bold]far\x1b[31m below.", "Yes.")
WRITTEN = ("They spoke of a stone and its weight in the shade.", "Then a hole was spoken of by both.")


class Folded:
    """A conversation of three turns, the first two in a summary each."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder, ScriptedModel(list(ANSWERS), window=4096))
        for answer in ANSWERS:
            question = f"What is it with this thing, that is so {len(answer)}?"
            self.desk.ask(AskRequest(question, resume=True, sampling=Sampling(max_tokens=64)))
        self.desk.model.answers[:] = WRITTEN
        for through in (self.desk.path()[1].id, None):
            list(self.desk.service.compact(self.conversation, 64, Cancel(), through=through))
        self.service = SummaryService(self.desk.record)

    @property
    def conversation(self) -> Conversation:
        found = self.desk.record.latest()
        assert found
        return found

    @contextmanager
    def vocabulary(self) -> Iterator[Vocabulary]:
        yield self.desk.model.vocabulary

    def screen(self, write: Callable[[str], str] = str.upper, **changes: object) -> SummaryScreen:
        parts = {"conversation": self.conversation.id, "vocabulary": self.vocabulary, "write": write}
        return SummaryScreen(self.service, **(parts | changes))  # type: ignore[arg-type]

    @property
    def prose(self) -> list[str]:
        return [block.prose for block in self.desk.blocks()]


@pytest.fixture
def folded(tmp_path: Path) -> Iterator[Folded]:
    folded = Folded(tmp_path)
    yield folded
    folded.desk.database.close()


async def listed(hand: Hand, line: str = "turns 1 to 2 in all") -> None:
    await hand.until(lambda: hand.said.startswith(line))


def area(hand: Hand) -> TextArea:
    return hand.app.screen.query_one(TextArea)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_each_block_has_its_turns_its_tokens_and_its_text(
    folded: Folded, size: tuple[int, int]
) -> None:
    first, last = folded.desk.blocks()
    said = sum(len(m.spoken) for m in folded.desk.path()[:2])
    async with shown(folded.screen(), size) as hand:
        await listed(hand)
        assert hand.table[0][:3] == ("1", str(said), str(len(first.text)))
        assert hand.names == ["1", "2"]
        before, after = (sum(int(row[place]) for row in hand.table) for place in (1, 2))
        assert hand.said == f"turns 1 to 2 in all: {before} tokens before, {after} after"
        assert [row[-1] for row in hand.table] == ["by the model"] * 2
        assert hand.text("#text").startswith(last.prose)
        await hand.press("up")
        await hand.until(lambda: hand.text("#text").startswith(first.prose))
        assert "4711" in hand.text("#text")
        await hand.press("down")
        await hand.until(lambda: hand.text("#text").startswith(last.prose))
        assert hand.app.screen.query_one("#text").parent.region.height >= 8  # type: ignore[union-attr]
        await hand.press("escape")
        assert hand.closed == [SummaryClosed()]


async def test_a_summary_is_read_whole(folded: Folded) -> None:
    async with shown(folded.screen()) as hand:
        await listed(hand)
        await hand.press("up", "enter")
        assert isinstance(hand.app.screen, TextScreen)
        assert "4711" in hand.text("#text")


async def test_the_last_summary_is_edited_and_saved(folded: Folded) -> None:
    async with shown(folded.screen()) as hand:
        await listed(hand)
        await hand.press("e")
        assert isinstance(hand.app.screen, EditScreen)
        assert area(hand).text == WRITTEN[1]
        area(hand).insert("[red]Mine.[/] ")
        await hand.press("ctrl+s")
        await hand.until(lambda: hand.said.startswith("it stands as you wrote it"))
        assert hand.table[1][-1] == "edited by you"
        assert hand.text("#text").startswith("[red]Mine.[/] Then")
        await hand.press("escape")
        assert hand.closed == [SummaryClosed(changed=True)]
    assert folded.prose == [WRITTEN[0], f"[red]Mine.[/] {WRITTEN[1]}"]


async def test_an_edit_is_not_thrown_away_by_a_slip(folded: Folded) -> None:
    async with shown(folded.screen()) as hand:
        await listed(hand)
        await hand.press("e", "X", "escape")
        assert isinstance(hand.app.screen, ConfirmScreen)
        await hand.press("enter")
        assert area(hand).text == f"X{WRITTEN[1]}"
        await hand.press("escape", "y")
        await hand.until(lambda: isinstance(hand.app.screen, SummaryScreen))
        await hand.press("e", "escape", "escape")
        assert hand.closed == [SummaryClosed()]
    assert folded.prose == list(WRITTEN)


async def test_the_person_s_editor_writes_into_the_screen_and_saving_is_a_step_of_its_own(
    folded: Folded,
) -> None:
    async with shown(folded.screen()) as hand:
        await listed(hand)
        await hand.press("ctrl+g")
        await hand.until(lambda: hand.said == "Ctrl-S saves it")
        assert area(hand).text == WRITTEN[1].upper()
        assert folded.prose == list(WRITTEN)
        await hand.press("ctrl+g", "ctrl+s")
        await hand.until(lambda: hand.said.startswith("it stands as you wrote it"))
    assert folded.prose == [WRITTEN[0], WRITTEN[1].upper()]


async def test_an_editor_that_cannot_be_started_is_a_line(folded: Folded) -> None:
    def fails(_: str) -> str:
        raise UsageError("the editor [x] cannot be started")

    async with shown(folded.screen(fails)) as hand:
        await listed(hand)
        await hand.press("ctrl+g")
        await hand.until(lambda: hand.said == "the editor [x] cannot be started")
        assert area(hand).text == WRITTEN[1]


async def test_what_cannot_be_saved_stays_to_be_saved_again(folded: Folded) -> None:
    async with shown(folded.screen()) as hand:
        await listed(hand)
        with folded.desk.record.hold(folded.conversation.id):
            await hand.press("e", "X", "ctrl+s")
            await hand.until(lambda: hand.said.startswith("the conversation is in use by"))
            assert area(hand).text == f"X{WRITTEN[1]}"
        await hand.press("ctrl+s")
        await hand.until(lambda: hand.said.startswith("it stands as you wrote it"))
    assert folded.prose[1] == f"X{WRITTEN[1]}"


async def test_an_empty_summary_is_refused(folded: Folded) -> None:
    async with shown(folded.screen(lambda _: " ")) as hand:
        await listed(hand)
        await hand.press("ctrl+g", "ctrl+s")
        await hand.until(lambda: hand.said.startswith("an empty summary says nothing"))
    assert folded.prose == list(WRITTEN)


async def test_a_summary_that_changed_meanwhile_is_not_written_over(folded: Folded) -> None:
    async with shown(folded.screen()) as hand:
        await listed(hand)
        await hand.press("e", "X")
        folded.service.edit(None, lambda _: "Another.")
        await hand.press("ctrl+s")
        await hand.until(lambda: hand.said.startswith("the summary was changed meanwhile"))
        assert area(hand).text == f"X{WRITTEN[1]}"
    assert folded.prose[1] == "Another."


@pytest.mark.parametrize("key", ["e", "ctrl+g"])
async def test_of_several_the_last_alone_is_edited(folded: Folded, key: str) -> None:
    async with shown(folded.screen()) as hand:
        await listed(hand)
        await hand.press("up", key)
        await hand.until(lambda: hand.said.startswith("only the last summary can be edited"))
        assert isinstance(hand.app.screen, SummaryScreen)


async def test_compactions_are_taken_back_until_nothing_is_summarized(folded: Folded) -> None:
    async with shown(folded.screen()) as hand:
        await listed(hand)
        await hand.press("u", "enter")
        assert len(hand.table) == 2
        await hand.press("u", "y")
        await hand.until(lambda: hand.said == "undone: turn 2 is sent word for word again")
        assert hand.names == ["1"]
        await hand.press("u", "y")
        await hand.until(lambda: hand.said == "undone: turn 1 is sent word for word again")
        assert hand.table == []
        assert hand.text("#text") == ""
        await hand.press("u", "e", "ctrl+g", "enter", "up", "escape")
        assert hand.closed == [SummaryClosed(changed=True)]
    assert folded.prose == []


async def test_a_conversation_in_use_keeps_its_summaries(folded: Folded) -> None:
    async with shown(folded.screen()) as hand:
        await listed(hand)
        with folded.desk.record.hold(folded.conversation.id):
            await hand.press("u", "y")
            await hand.until(lambda: hand.said.startswith("the conversation is in use by"))
        assert len(hand.table) == 2
        await hand.press("escape")
        assert hand.closed == [SummaryClosed()]


async def test_without_a_model_there_are_dashes_for_tokens(folded: Folded) -> None:
    @contextmanager
    def none() -> Iterator[Vocabulary]:
        raise EngineError("no model is loaded")
        yield

    async with shown(folded.screen(vocabulary=none)) as hand:
        await listed(hand)
        assert [row[1:3] for row in hand.table] == [("–", "–")] * 2
        assert hand.said == "turns 1 to 2 in all"


async def test_where_nothing_is_summarized_it_says_so(folded: Folded) -> None:
    other = folded.desk.record.create("Other", "Be.")
    async with shown(folded.screen(conversation=other.id)) as hand:
        await hand.until(lambda: hand.said.startswith('nothing is summarized in "Other"'))
        await hand.press("e", "u", "enter", "escape")
        assert hand.closed == [SummaryClosed()]
    async with shown(folded.screen(conversation=None)) as hand:
        await hand.until(lambda: hand.said.startswith("nothing was said yet"))
