"""The chat: what the person writes goes to the thread, and what comes back goes to the widgets."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message as Posted
from textual.screen import Screen
from textual.widgets import Static

from ctxchat.display.plain_text import clean, shortened
from ctxchat.domain.errors import CtxChatError
from ctxchat.domain.events import TurnEvent, TurnFinished
from ctxchat.domain.receipt import Receipt
from ctxchat.tui.chat import live
from ctxchat.tui.chat.completion import Completions
from ctxchat.tui.chat.composer import Composer
from ctxchat.tui.chat.status import StatusLine
from ctxchat.tui.chat.transcript import Transcript
from ctxchat.tui.chat.turn_view import ShownTurn, TurnView
from ctxchat.tui.chat.written import Written
from ctxchat.tui.key_line import KeyLine
from ctxchat.tui.messages import DraftCosted, Happened, Progressed, WorkEnded
from ctxchat.tui.meters.panel import CompactMeters, MetersPanel
from ctxchat.tui.own_editor import edited_outside
from ctxchat.tui.work import Events, TurnWork

_BEGINNING = 0
"""The number of work that is about to begin."""


NARROW_WIDE_BROAD = [(0, "-narrow"), (100, "-wide"), (180, "-broad")]
TINY_SHORT_TALL = [(0, "-tiny"), (10, "-short"), (30, "-tall")]


class ChatScreen(Screen[None]):
    """Transcript, composer, status line and meters, over the one thread that asks the model.

    It knows no service: what a turn runs is given to `run_turn`, and what became of it is posted.
    """

    CSS_PATH = "chat.tcss"
    HORIZONTAL_BREAKPOINTS = NARROW_WIDE_BROAD
    VERTICAL_BREAKPOINTS = TINY_SHORT_TALL
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop"),
        Binding("ctrl+n", "app.new", "New"),
        Binding("f2", "meters", "Meters"),
        Binding("ctrl+t", "transcript", "Turns"),
        Binding("home", "earlier", "Earlier", show=False),
        Binding("pageup", "page(-1)", "Up", show=False, priority=True),
        Binding("pagedown", "page(1)", "Down", show=False, priority=True),
    ]

    class Finished(Posted):
        """A turn of this chat is over; `draft` is what was asked in it, if anything was."""

        def __init__(self, receipt: Receipt, draft: Written | None) -> None:
            super().__init__()
            self.receipt = receipt
            self.draft = draft

    class Failed(Posted):
        """A piece of work ended in an error; `draft` is what was asked in it, if anything was. Of work that
        was no turn `events` begin it again; there are none of upkeep."""

        def __init__(
            self, ended: WorkEnded, draft: Written | None, events: Events | None, turn: bool
        ) -> None:
            super().__init__()
            self.failure = ended.failure or ""
            self.code = ended.code
            self.draft = draft
            self.events = events
            self.turn = turn

    class Idle(Posted):
        """A turn is over, and no question waits."""

    class Rested(Posted):
        """Work that was no turn is over."""

    def __init__(self, completions: Completions, clock: Callable[[], float]) -> None:
        super().__init__()
        self.transcript = Transcript()
        self.composer = Composer(completions)
        self.composer.take_back = self.take_back
        self.status = StatusLine(clock)
        self.meters = (MetersPanel(clock=clock), CompactMeters(id="compact", clock=clock))
        self.work = TurnWork(self.post_message)
        self.waiting: deque[Written] = deque()
        self._heading = Static("", id="title")
        self._waiting = Static("", id="waiting")
        self._begun: dict[int, Events] = {}
        self._work: int | None = None
        self._view: TurnView | None = None
        self._draft: Written | None = None
        self._receipt: Receipt | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="body"):
            with Vertical(id="chat"):
                yield self._heading
                yield self.transcript
                yield self._waiting
            yield self.meters[0]
        yield self.meters[1]
        yield self.status
        yield self.composer
        yield KeyLine()

    def on_mount(self) -> None:
        self._waiting.display = False
        self.composer.area.focus()

    @property
    def busy(self) -> bool:
        """Whether a turn is being answered."""
        return self._work is not None

    def entitle(self, title: Content) -> None:
        self._heading.update(title)

    async def run_turn(self, events: Events, shown: ShownTurn, draft: Written | None = None) -> None:
        """Answer a turn in the thread, and show it as it comes."""
        self.status.begin()
        self._draft, self._receipt = draft, None
        self._work = _BEGINNING
        self._view = await self.transcript.begin(shown)
        self._work = self.work.begin(events)

    def go_on(self, events: Events, view: TurnView) -> None:
        """Let a turn that stands go on."""
        self.status.begin()
        self._draft, self._receipt = None, None
        self._work, self._view = self.work.begin(events), view

    def begin(self, events: Events) -> None:
        """Do something in the thread that is no turn: load a model, fold turns."""
        self.status.begin()
        self._begun[self.work.begin(events)] = events

    def hold_back(self, draft: Written) -> None:
        """Keep a question until the turn before it is over."""
        self.waiting.append(draft)
        self._show_waiting()

    def take_back(self) -> bool:
        """Give the question that came last back into the composer; False where none waits."""
        if not self.waiting or self.composer.draft.text:
            return False
        self.composer.write(self.waiting.pop())
        self._show_waiting()
        return True

    def next_waiting(self) -> Written | None:
        """The question that waited longest."""
        draft = self.waiting.popleft() if self.waiting else None
        self._show_waiting()
        return draft

    async def on_happened(self, message: Happened) -> None:
        mine = message.work == self._work
        await live.show(message.events, self._view if mine else None, self.transcript)
        for event in message.events:
            self._measure(event, mine=mine)
        self.status.draw()

    def on_progressed(self, message: Progressed) -> None:
        self._measure(message.event, mine=message.work == self._work)
        self.status.draw()

    def on_draft_costed(self, message: DraftCosted) -> None:
        for meters in self.meters:
            meters.show_draft(message.cost)
        self.composer.show_cost(message.cost)

    def metered(self, receipts: Sequence[Receipt]) -> None:
        """Begin the meters anew with the turns of another conversation."""
        for meters in self.meters:
            meters.show_conversation(receipts)

    def on_work_ended(self, message: WorkEnded) -> None:
        mine = message.work == self._work
        events = self._begun.pop(message.work, None)
        draft = self._draft if mine else None
        receipt = self._receipt if mine else None
        if mine:
            self._work, self._view, self._draft = None, None, None
        self.status.say("")
        if receipt is not None:
            self.post_message(self.Finished(receipt, draft))
        if message.failure:
            self.post_message(self.Failed(message, draft, events, turn=mine))
        else:
            self.post_message(self.Idle() if mine else self.Rested())

    def on_turn_view_moved(self, message: TurnView.Moved) -> None:
        target = self.transcript.beside(message.turn, message.by) if message.by else None
        (target or self.composer.area).focus()

    def on_composer_left_upwards(self) -> None:
        self.action_transcript()

    def action_stop(self) -> None:
        if self.busy or self.work.working:
            self.status.say("stopping")
            self.work.cancel()
        else:
            self.composer.area.focus()

    def action_meters(self) -> None:
        self.toggle_class("-meters-toggled")

    def action_transcript(self) -> None:
        if turns := self.transcript.turns:
            turns[-1].focus()

    async def action_earlier(self) -> None:
        await self.transcript.show_earlier()

    def action_editor(self) -> None:
        """Write the question in the person's own editor."""
        try:
            text = edited_outside(self.app, self.composer.area.text, "question.md")
        except CtxChatError as error:
            self.notify(clean(str(error)), severity="error", markup=False)
        else:
            self.composer.set_text(text.rstrip("\n"))

    def action_page(self, by: int) -> None:
        page = self.transcript.scroll_page_up if by < 0 else self.transcript.scroll_page_down
        page(animate=False)

    def _measure(self, event: TurnEvent, *, mine: bool) -> None:
        self.status.show(event)
        for meters in self.meters:
            meters.show(event)
        if mine and isinstance(event, TurnFinished):
            self._receipt = event.receipt

    def _show_waiting(self) -> None:
        lines = [f"◷ waits: {shortened(draft.text, 60)}" for draft in self.waiting]
        self._waiting.update(
            Content(clean("\n".join([*lines, "  Esc stops the answer · Up takes the last one back"])))
        )
        self._waiting.display = bool(lines)
