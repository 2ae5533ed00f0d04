"""The terminal UI: which conversation is open, and what is asked in it."""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import PurePath
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from ctxchat.display.plain_text import clean, one_line
from ctxchat.domain.conversation import count_turns
from ctxchat.domain.errors import CtxChatError
from ctxchat.domain.receipt import Receipt
from ctxchat.settings.schema import Settings
from ctxchat.tui.acting.actions import Actions
from ctxchat.tui.chat.composer import Composer
from ctxchat.tui.chat.draft import Draft
from ctxchat.tui.chat.request import Asking
from ctxchat.tui.chat.screen import ChatScreen
from ctxchat.tui.chat.transcript import StepLine
from ctxchat.tui.chat.turn_view import ShownTurn, TurnView
from ctxchat.tui.commands import BY_NAME, COMMANDS, near, parsed
from ctxchat.tui.completing import completions
from ctxchat.tui.drafting import Drafting, cost_of
from ctxchat.tui.shown import shown_turns
from ctxchat.tui.start import Start
from ctxchat.tui.theme import THEMES

if TYPE_CHECKING:
    from ctxchat.service.open_services import Services

QUIT_SECONDS = 0.6


class ChatApp(App[int]):
    """Asks what `open_services` gives, as `start` says. Opening imports much, and waits for the first frame;
    `unopened` is why it failed, which ends the chat."""

    TITLE = "ctxchat"
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", "chat/chat.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", priority=True),
        Binding("ctrl+c", "copy_or_hint", "Copy", show=False, system=True),
        Binding("ctrl+n", "new", "New", show=False),
    ]

    def __init__(self, settings: Settings, open_services: "Callable[[], Services]", start: Start) -> None:
        super().__init__()
        # A theme that is set later lets every style be read twice before the first frame.
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "ctxchat-dark"
        self.start = start
        self.unopened: CtxChatError | None = None
        self._open_services = open_services
        self._services: Services | None = None
        self._opening = Lock()
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
            time.monotonic,
        )
        self.turns = 0
        self.receipts: list[Receipt] = []
        self.stopped = True
        self._drafting = Drafting(
            lambda draft: cost_of(self.services, self.asking, draft), self.chat.post_message
        )

    @property
    def services(self) -> "Services":
        """What the chat works with; opened by the thread that needs it first. Raises CtxChatError."""
        with self._opening:
            if self._services is None:
                self._services = self._open_services()
            return self._services

    def get_default_screen(self) -> Screen[None]:
        return self.chat

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """After the first frame: load the model in its thread, and open what was asked for."""
        self.run_worker(self._open_first())

    async def _open_first(self) -> None:
        try:
            services = await asyncio.to_thread(lambda: self.services)
        except CtxChatError as error:
            self.unopened = error
            self.exit(error.exit_code)
            return
        self.chat.work.begin(services.chat.load)
        try:
            await self.actions.open_start()
        except CtxChatError as error:
            self.tell(error)
        for warning in self.start.warnings:
            await self.chat.transcript.note(StepLine(f"! {warning}", "step warned"))
        draft = Draft(self.start.words, self.start.attachments, self.start.data)
        if draft.text:
            await self.ask(draft)
        else:
            self.chat.composer.attach_all(draft)

    async def open(self, conversation: str | None) -> None:
        """Show a conversation, None for a new one. Raises CtxChatError."""
        turns: list[ShownTurn] = []
        if conversation is None:
            self.asking.begin_anew()
            self.turns = 0
        else:
            transcript = self.services.conversations.transcript(conversation)
            self.asking.conversation = transcript.conversation.id
            turns = shown_turns(transcript.messages)
            self.turns = count_turns(transcript.messages)
        self.receipts.clear()
        self.chat.metered(())
        await self.chat.transcript.show(turns)
        self.chat.composer.recall_all([turn.question for turn in turns if turn.question])
        self.entitle()

    async def ask(self, draft: Draft) -> None:
        """Ask a question, or keep it until the turn before it is over."""
        if self.chat.busy:
            self.chat.hold_back(draft)
            return
        try:
            draft = await self.actions.with_mentioned(draft)
        except CtxChatError as error:
            self.tell(error)
            self.chat.composer.write(draft)
            return
        request = self.asking.request(draft)
        shown = ShownTurn(draft.text, draft.labels)
        await self.chat.run_turn(lambda cancel: self.services.chat.ask(request, cancel), shown, draft)

    def tell(self, error: Exception) -> None:
        """Say in a corner what went wrong."""
        self.notify(clean(str(error)), severity="error", markup=False, timeout=8)

    def note_ids(self) -> None:
        """Give the last turn that is shown the ids it has on record."""
        messages = self.services.conversations.transcript(self.asking.conversation).messages
        self.turns = count_turns(messages)
        recorded, views = shown_turns(messages), self.chat.transcript.turns
        if recorded and views:
            views[-1].shown.question_id = recorded[-1].question_id
            views[-1].shown.answer_id = recorded[-1].answer_id

    def entitle(self) -> None:
        """The line above the transcript: model, window, conversation."""
        model = self.services.chat.model
        parts = [Content(one_line(model.facts.name))] if model is not None and _loaded(model) else []
        name = self._called()
        parts.append(Content.assemble("new conversation" if name is None else (one_line(name), "bold")))
        if self.turns:
            parts.append(Content(f"turn {self.turns:,}"))
        self.chat.entitle(Content(" · ").join(parts))

    def _called(self) -> str | None:
        if self.asking.conversation is None:
            return self.asking.name
        return self.services.conversations.resolve(self.asking.conversation).name

    async def on_composer_sent(self, message: Composer.Sent) -> None:
        command = parsed(message.draft.text)
        if command is None:
            await self.ask(message.draft)
        elif command[0] in BY_NAME:
            self.act(BY_NAME[command[0]].action, command[1])
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
        """A model was loaded, or upkeep is over: the meters show the last turn again."""
        self.chat.metered(self.receipts)
        self.entitle()

    async def on_chat_screen_idle(self) -> None:
        self.entitle()
        draft = self.chat.next_waiting()
        if draft is not None:
            await self.ask(draft)
        else:
            self.chat.work.begin(self.services.chat.tidy, yields=True)

    def on_chat_screen_failed(self, message: ChatScreen.Failed) -> None:
        self.run_worker(self.actions.failed(message))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - textual's signature
        for command in COMMANDS:
            yield SystemCommand(command.usage, command.does, lambda c=command: self.actions.from_palette(c))

    def action_act(self, action: str) -> None:
        self.act(action)

    def action_new(self) -> None:
        self.act("new")

    def action_copy_or_hint(self) -> None:
        self.notify("Esc stops an answer, Ctrl-Q leaves", timeout=3)

    async def action_quit(self) -> None:
        """Stop what runs, and leave: what was answered so far is on record."""
        self.chat.waiting.clear()
        self.stopped = self.chat.work.stop(QUIT_SECONDS)
        self.exit(0)


def _loaded(model: object) -> bool:
    """Whether a model can tell about itself yet."""
    try:
        return bool(model.facts)  # type: ignore[attr-defined]
    except CtxChatError:
        return False
