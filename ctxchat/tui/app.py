"""The terminal UI: which conversation is open, and what is asked in it."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from ctxchat.display.plain_text import clean, one_line
from ctxchat.domain.errors import CtxChatError
from ctxchat.domain.ports import Model
from ctxchat.domain.receipt import Receipt
from ctxchat.settings.schema import Settings
from ctxchat.tui import unsent
from ctxchat.tui.acting.actions import Actions
from ctxchat.tui.acting.base import loaded
from ctxchat.tui.chat.composer import Composer
from ctxchat.tui.chat.request import Asking
from ctxchat.tui.chat.screen import ChatScreen
from ctxchat.tui.chat.transcript import StepLine
from ctxchat.tui.chat.turn_view import ShownTurn, TurnView
from ctxchat.tui.chat.written import Written
from ctxchat.tui.commands import BY_NAME, COMMANDS, near, parsed
from ctxchat.tui.completing import completions
from ctxchat.tui.drafting import Drafting, cost_of
from ctxchat.tui.opening import Opening
from ctxchat.tui.pictures import without_hosts
from ctxchat.tui.shown import ShownConversation, shown_conversation
from ctxchat.tui.start import Start
from ctxchat.tui.theme import THEMES

if TYPE_CHECKING:
    from ctxchat.service.open_services import Services

QUIT_SECONDS = 0.6


class ChatApp(App[int]):
    """Asks what `open_services` gives, as `start` says. Opening imports much, and waits for the first frame;
    `unopened` is why it failed, which ends the chat. `clock` is what the rates and times on the screen are
    measured by."""

    TITLE = "ctxchat"
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", "chat/chat.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", priority=True),
        Binding("ctrl+c", "copy_or_hint", "Copy", show=False, system=True),
        Binding("ctrl+n", "new", "New", show=False),
    ]

    def __init__(
        self,
        settings: Settings,
        open_services: "Callable[[], Services]",
        start: Start,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        # A theme that is set later lets every style be read twice before the first frame.
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "ctxchat-dark"
        self.start = start
        self.unopened: CtxChatError | None = None
        self.opening = Opening(open_services)
        self.asking = Asking(
            start,
            settings.sampling,
            settings.context.think,
            settings.notes.recall,
            system=start.system,
            pins=start.pins,
            collections=start.collections,
        )
        self.actions = Actions(self)
        self.chat = ChatScreen(
            completions({"theme": self.actions.themes, "think": lambda: ("on", "off", "auto")}),
            clock,
        )
        self.turns = 0
        self.receipts: list[Receipt] = []
        self.stopped = True
        self._learned_of: Model | None = None
        self._drafting = Drafting(
            lambda draft: cost_of(self.services, self.asking, draft), self.chat.post_message
        )

    @property
    def services(self) -> "Services":
        """What the chat works with; opened at first need. Raises CtxChatError."""
        return self.opening.services

    def get_default_screen(self) -> Screen[None]:
        return self.chat

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """After the first frame: load the model in its thread, and open what was asked for."""
        self.run_worker(self._open())

    async def _open(self) -> None:
        try:
            services = await asyncio.to_thread(lambda: self.services)
        except CtxChatError as error:
            self.unopened = error
            self.exit(error.exit_code)
            return
        self.chat.begin(services.chat.load)
        await self._open_first()

    async def _open_first(self) -> None:
        """Open what the command line named, and ask its words. Where that fails they are kept."""
        written = Written(self.start.words, self.start.attachments, self.start.data)
        for warning in self.start.warnings:
            await self.chat.transcript.note(StepLine(f"! {warning}", "step warned"))
        try:
            await self.actions.open_start()
        except CtxChatError as error:
            self.chat.composer.write(written)
            await self.actions.ways_on(str(error), error.exit_code, self._open_first)
            return
        await self.actions.let_go()
        self._bring_back_unsent()
        if written.text:
            await self.ask(written)
        else:
            self.chat.composer.attach_all(written)

    async def open(self, conversation: str | None) -> None:
        """Show a conversation, None for a new one; of the one that is open, what it has become. Raises
        CtxChatError."""
        if conversation is None:
            self.asking.begin_anew()
            await self._show((), 0, same=False)
            return
        found = await self.actions.read(lambda: shown_conversation(self.services, conversation))
        same = found.id == self.asking.conversation
        self.asking.conversation, self.asking.name = found.id, found.name
        await self._show(found.turns, found.count, same=same)

    async def _show(self, turns: Sequence[ShownTurn], count: int, *, same: bool) -> None:
        transcript = self.chat.transcript
        if same:
            known = {turn.answer_id: turn.about for turn in transcript.shown if turn.answer_id}
            for turn in turns:
                turn.about = known.get(turn.answer_id or "") or turn.about
        else:
            self.receipts.clear()
            self.chat.metered(())
        self.turns = count
        await transcript.show(turns)
        self.chat.composer.recall_all([turn.question for turn in turns if turn.question])
        self.entitle()
        self.count_draft()

    def named(self, now: ShownConversation) -> None:
        """Take what the record says of the conversation in which something was asked."""
        self.asking.conversation, self.asking.name, self.turns = now.id, now.name, now.count

    def count_draft(self) -> None:
        """Count the draft again: what stands before it is another."""
        self._drafting.count(self.chat.composer.draft)

    def keep_up(self) -> None:
        """Do what is done while the person reads."""
        self.chat.work.begin(self.services.chat.tidy, yields=True)

    def _bring_back_unsent(self) -> None:
        """Put what was not sent when this conversation was left into the composer, and in the queue."""
        written = unsent.kept(self.asking.conversation)
        if written and not self.chat.composer.draft:
            self.chat.composer.write(written.pop(0))
        for one in written:
            self.chat.hold_back(one)

    async def ask(self, draft: Written) -> None:
        """Ask a question, or keep it until the turn before it is over."""
        if self.chat.busy:
            self.chat.hold_back(draft)
            return
        try:
            draft = await self.actions.with_mentioned(draft)
        except CtxChatError as error:
            self.tell(str(error))
            self.chat.composer.write(draft)
            return
        request = self.asking.request(draft)
        shown = ShownTurn(draft.text, draft.labels)
        await self.chat.run_turn(self.actions.answered(request), shown, draft)

    def tell(self, failure: str) -> None:
        """Say in a corner what went wrong."""
        self.notify(clean(failure), severity="error", markup=False, timeout=8)

    def entitle(self) -> None:
        """The line above the transcript: model, window, conversation."""
        facts, name = loaded(self.services.chat.model), self.asking.name
        parts = [Content(one_line(facts.name))] if facts is not None else []
        parts.append(Content.assemble("new conversation" if name is None else (one_line(name), "bold")))
        if self.turns:
            parts.append(Content(f"turn {self.turns:,}"))
        self.chat.entitle(Content(" · ").join(parts))

    async def on_composer_sent(self, message: Composer.Sent) -> None:
        command = parsed(message.draft.text)
        if command is None:
            await self.ask(message.draft)
        elif command[0] in BY_NAME:
            self.run_worker(self.actions.obey(BY_NAME[command[0]], command[1]))
        else:
            meant = " or ".join(f"/{name}" for name in near(command[0]))
            self.chat.composer.write(message.draft)
            self.notify(
                f"there is no /{command[0]}" + (f": did you mean {meant}?" if meant else ""),
                severity="warning",
                markup=False,
            )

    def on_composer_changed(self, message: Composer.Changed) -> None:
        self._drafting.count(message.draft)

    def act(self, action: str, argument: str = "") -> None:
        """Do what a command names, while the screen goes on."""
        self.run_worker(self.actions.do(action, argument))

    def on_turn_view_wanted(self, message: TurnView.Wanted) -> None:
        self.run_worker(self.actions.do_key(message.turn, message.name))

    async def on_chat_screen_finished(self, message: ChatScreen.Finished) -> None:
        self.receipts.append(message.receipt)
        await self.actions.settle(message)

    def on_chat_screen_rested(self) -> None:
        """A model was loaded, or the record was changed: what is known now is shown."""
        self.chat.metered(self.receipts)
        self.entitle()
        self.count_draft()
        model = self.services.chat.model
        if loaded(model) is not None and model is not self._learned_of:
            self._learned_of = model
            self.run_worker(self._learn())

    async def _learn(self) -> None:
        """Count what is shown with the model that is loaded now."""
        conversation = self.asking.conversation
        if conversation is not None:
            with suppress(CtxChatError):
                found = await self.actions.read(lambda: shown_conversation(self.services, conversation))
                self.chat.transcript.learn(found.turns)

    async def on_chat_screen_idle(self) -> None:
        """A turn is over. Behind one that failed nothing is asked by itself."""
        self.entitle()
        self.count_draft()
        if self.receipts and self.receipts[-1].error is not None:
            return
        draft = self.chat.next_waiting()
        if draft is not None:
            await self.ask(draft)
        else:
            self.keep_up()

    def on_chat_screen_failed(self, message: ChatScreen.Failed) -> None:
        self.run_worker(self.actions.told(self.actions.failed(message)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - textual's signature
        for command in COMMANDS:
            yield SystemCommand(command.usage, command.does, lambda c=command: self.actions.from_palette(c))

    def export_screenshot(self, *, title: str | None = None, simplify: bool = True) -> str:
        return without_hosts(super().export_screenshot(title=title, simplify=simplify))

    def action_act(self, action: str) -> None:
        self.act(action)

    def action_new(self) -> None:
        self.act("new")

    def action_copy_or_hint(self) -> None:
        self.notify("Esc stops an answer, Ctrl-Q leaves", timeout=3)

    async def action_quit(self) -> None:
        """Stop what runs, and leave: what was answered so far is on record."""
        draft, waiting = self.chat.composer.draft, self.chat.waiting
        unsent.keep(self.asking.conversation, [draft, *waiting] if draft else [*waiting])
        waiting.clear()
        self.stopped = self.chat.work.stop(QUIT_SECONDS)
        self.exit(0)
