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
from ctxchat.tui.first_frame import WELCOME

MOST_TURNS = 30
"""Turns that are widgets at a time; each costs some milliseconds whenever the width changes."""


class StepLine(Static):
    """A line between turns."""

    def __init__(self, text: str, classes: str = "step") -> None:
        super().__init__(Content(clean(text)), classes=classes)


class FoldedLine(StepLine, can_focus=True):
    """Says what was folded; Enter or a click shows the summary. `last` is the id of the last message that
    was, None where that is not known yet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("enter", "app.act('summary')", "Summary"),
        Binding("escape,i", "move(0)", "Write"),
    ]

    def __init__(self, line: str, last: str | None = None) -> None:
        super().__init__("", "step folded")
        self.last = last
        self.say(line)

    def say(self, line: str) -> None:
        self.update(Content(clean(f"↯ {line} · Enter shows it, and takes it back")))

    def action_move(self, by: int) -> None:
        self.post_message(TurnView.Moved(self, by))

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

    @property
    def shown(self) -> list[ShownTurn]:
        """All turns, those that are no widgets too."""
        return [*self._earlier, *(view.shown for view in self.turns)]

    async def show(self, turns: Sequence[ShownTurn]) -> None:
        """Show another conversation, or the same as it now is."""
        self._earlier = list(turns[:-MOST_TURNS])
        views = _widgets(turns[-MOST_TURNS:])
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
        await self.mount_all(_widgets(more), after=self._more)
        self._count_earlier()

    def learn(self, turns: Sequence[ShownTurn]) -> None:
        """Take what is known by now of turns that are shown: tokens of what was reasoned and folded."""
        known = {turn.answer_id: turn for turn in turns if turn.answer_id}
        for shown in self.shown:
            if now := known.get(shown.answer_id or ""):
                shown.reasoning_tokens, shown.folded = now.reasoning_tokens, now.folded
        for child in self.children:
            if isinstance(child, TurnView):
                child.count_reasoning(child.shown.reasoning_tokens)
            elif isinstance(child, FoldedLine) and child.last in known:
                child.say(known[child.last].folded)

    def beside(self, place: Widget, by: int) -> Widget | None:
        """The turn, or the line of what was folded, so many below another; None beyond the last."""
        places: list[Widget] = [child for child in self.children if isinstance(child, TurnView | FoldedLine)]
        at = places.index(place) + by
        return places[max(0, at)] if at < len(places) else None

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


def _widgets(turns: Sequence[ShownTurn]) -> list[Widget]:
    """Turns, each with the line of what was folded up to it."""
    widgets: list[Widget] = []
    for turn in turns:
        widgets.append(TurnView(turn))
        if turn.folded:
            widgets.append(FoldedLine(turn.folded, turn.answer_id))
    return widgets
