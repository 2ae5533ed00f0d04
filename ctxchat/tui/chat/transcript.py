"""What was said, turn by turn, and in between what was done to the context."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ctxchat.display.plain_text import clean
from ctxchat.tui.chat.turn_view import ShownTurn, TurnView

MOST_TURNS = 30
"""Turns that are widgets at a time; each costs some milliseconds whenever the width changes."""

WELCOME = """\
Ask something below. What it will cost stands in the meters before you send it.

/ begins a command   @ attaches a file   Ctrl-P shows all commands"""


class StepLine(Static):
    """A line between turns."""

    def __init__(self, text: str, classes: str = "step") -> None:
        super().__init__(Content(clean(text)), classes=classes)


class FoldedLine(StepLine, can_focus=True):
    """Says what was folded; Enter or a click shows the summary."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "app.act('summary')", "Summary")]

    async def on_click(self) -> None:
        await self.run_action("app.act('summary')")


class Transcript(VerticalScroll, can_focus=False):
    """The turns of a conversation; the last of them are widgets, those before are one line away."""

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self._earlier: list[ShownTurn] = []
        self._more = Static("", classes="earlier")
        self._more.display = False
        self._welcome = Static(Content(WELCOME), classes="welcome")

    @property
    def turns(self) -> list[TurnView]:
        return [child for child in self.children if isinstance(child, TurnView)]

    async def show(self, turns: Sequence[ShownTurn]) -> None:
        """Show another conversation, or the same as it now is."""
        self._earlier = list(turns[:-MOST_TURNS])
        views = [TurnView(shown) for shown in turns[-MOST_TURNS:]]
        with self.app.batch_update():
            await self.remove_children()
            self._more = Static("", classes="earlier")
            self._welcome = Static(Content(WELCOME), classes="welcome")
            self._welcome.display = not turns
            await self.mount_all([self._more, self._welcome, *views])
            self._count_earlier()
        self.anchor()

    async def on_mount(self) -> None:
        await self.mount_all([self._more, self._welcome])
        self.anchor()

    async def begin(self, shown: ShownTurn) -> TurnView:
        """A new turn at the end."""
        self._welcome.display = False
        view = TurnView(shown)
        await self.mount(view)
        self.anchor()
        await self._fold_up()
        return view

    async def note(self, line: StepLine) -> None:
        """A line between turns, at the end."""
        await self.mount(line)

    async def show_earlier(self) -> None:
        """Make widgets of some more of the turns before the first that is shown."""
        if not self._earlier:
            return
        more, self._earlier = self._earlier[-MOST_TURNS:], self._earlier[:-MOST_TURNS]
        await self.mount_all([TurnView(shown) for shown in more], after=self._more)
        self._count_earlier()

    def beside(self, turn: TurnView, by: int) -> Widget | None:
        """The turn so many below another, None beyond the last."""
        turns = self.turns
        at = turns.index(turn) + by
        return turns[max(0, at)] if at < len(turns) else None

    async def _fold_up(self) -> None:
        """Let go of the widgets of turns that scrolled far away."""
        turns = self.turns
        if len(turns) > 2 * MOST_TURNS and not self._anchor_released:
            gone = turns[: len(turns) - MOST_TURNS]
            self._earlier += [view.shown for view in gone]
            at = self.children.index(gone[-1])
            await self.remove_children(
                [child for child in self.children[: at + 1] if child is not self._more]
            )
            self._count_earlier()

    def _count_earlier(self) -> None:
        count = len(self._earlier)
        self._more.update(Content(f"↑ {count:,} earlier turns · Home shows more"))
        self._more.display = bool(count)
