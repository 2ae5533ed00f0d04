"""The terminal UI: from its first frame on, and where its messages go."""

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from ctxchat.display.plain_text import clean
from ctxchat.domain.errors import CtxChatError
from ctxchat.tui.first_frame import FirstFrame
from ctxchat.tui.opening import Opening
from ctxchat.tui.theme import THEMES

# What the first frame needs is all that is imported here: the rest takes longer than to draw it.
if TYPE_CHECKING:
    from ctxchat.domain.receipt import Receipt
    from ctxchat.service.open_services import Services
    from ctxchat.settings.schema import Settings
    from ctxchat.tui.acting.actions import Actions
    from ctxchat.tui.chat.composer import Composer
    from ctxchat.tui.chat.request import Asking
    from ctxchat.tui.chat.screen import ChatScreen
    from ctxchat.tui.chat.turn_view import TurnView
    from ctxchat.tui.start import Start
    from ctxchat.tui.talk import Talk

QUIT_SECONDS = 0.6


class ChatApp(App[int]):
    """Asks what `open_services` gives for the settings, as `start` says. Settings and services wait for the
    first frame; `unopened` is why they could not be had, which ends the chat. `clock` is what the rates and
    times on the screen are measured by."""

    TITLE = "ctxchat"
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", priority=True),
        Binding("ctrl+c", "copy_or_hint", "Copy", show=False, system=True),
        Binding("ctrl+n", "new", "New", show=False),
    ]

    asking: "Asking"

    def __init__(
        self,
        open_services: "Callable[[Settings], Services]",
        start: "Start",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        # A theme that is set later lets every style be read twice before the first frame.
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "ctxchat-dark"
        self.start = start
        self.unopened: CtxChatError | None = None
        self.receipts: list[Receipt] = []
        self.stopped = True
        self._clock = clock
        self.opening = Opening(lambda: open_services(self.settings))
        self._first_frame = FirstFrame()
        self._begun = False

    @cached_property
    def settings(self) -> "Settings":
        """Those this chat began with. Raises SettingsError."""
        return self.start.settings()

    @cached_property
    def chat(self) -> "ChatScreen":
        from ctxchat.tui.chat.screen import ChatScreen
        from ctxchat.tui.completing import completions

        arguments = {"theme": self.actions.themes, "think": lambda: ("on", "off", "auto")}
        return ChatScreen(completions(arguments), self._clock)

    @cached_property
    def actions(self) -> "Actions":
        from ctxchat.tui.acting.actions import Actions

        return Actions(self)

    @cached_property
    def talk(self) -> "Talk":
        from ctxchat.tui.talk import Talk

        return Talk(self)

    @property
    def services(self) -> "Services":
        """What the chat works with; opened at first need. Raises CtxChatError."""
        return self.opening.services

    def get_default_screen(self) -> Screen[None]:
        return self._first_frame

    def on_mount(self) -> None:
        # In the loop of the application, where keys wait until it is over: the callback is the screen's.
        self.call_after_refresh(self.call_later, self._begin)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - textual's signature
        """Before the chat is there, nothing can be done but leave."""
        return self._begun or action == "quit"

    async def _begin(self) -> None:
        """After the first frame: show the chat, and open what was asked for."""
        from ctxchat.tui.chat.request import asking_of

        try:
            self.asking = asking_of(self.start, self.settings)
        except CtxChatError as error:
            self._give_up(error)
            return
        self._begun = True
        await self.push_screen(self.chat)
        self.chat.set_focus(self.chat.composer.area)
        for typed in self._first_frame.typed:
            self.chat.composer.area.post_message(typed)
        self.run_worker(self._open())

    async def _open(self) -> None:
        """Load the model in its thread, and open what the command line named."""
        try:
            services = await asyncio.to_thread(lambda: self.services)
        except CtxChatError as error:
            self._give_up(error)
            return
        self.chat.begin(services.chat.load)
        await self.talk.open_first()

    def _give_up(self, error: CtxChatError) -> None:
        self.unopened = error
        self.exit(error.exit_code)

    def keep_up(self) -> None:
        """Do what is done while the person reads."""
        self.chat.work.begin(self.services.chat.tidy, yields=True)

    def tell(self, failure: str) -> None:
        """Say in a corner what went wrong."""
        self.notify(clean(failure), severity="error", markup=False, timeout=8)

    async def on_composer_sent(self, message: "Composer.Sent") -> None:
        await self.talk.sent(message.draft)

    def on_composer_changed(self, message: "Composer.Changed") -> None:
        self.talk.drafting.count(message.draft)

    def act(self, action: str, argument: str = "") -> None:
        """Do what a command names, while the screen goes on."""
        self.run_worker(self.actions.do(action, argument))

    def on_turn_view_wanted(self, message: "TurnView.Wanted") -> None:
        self.run_worker(self.actions.do_key(message.turn, message.name))

    async def on_chat_screen_finished(self, message: "ChatScreen.Finished") -> None:
        self.receipts.append(message.receipt)
        await self.actions.settle(message)

    def on_chat_screen_rested(self) -> None:
        """A model was loaded, or the record was changed: what is known now is shown."""
        self.chat.metered(self.receipts)
        self.talk.entitle()
        self.talk.count_draft()
        self.run_worker(self.talk.learn())

    async def on_chat_screen_idle(self) -> None:
        """A turn is over. Behind one that failed nothing is asked by itself."""
        self.talk.entitle()
        self.talk.count_draft()
        if self.receipts and self.receipts[-1].error is not None:
            return
        draft = self.chat.next_waiting()
        if draft is not None:
            await self.talk.ask(draft)
        else:
            self.keep_up()

    def on_chat_screen_failed(self, message: "ChatScreen.Failed") -> None:
        self.run_worker(self.actions.told(self.actions.failed(message)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - textual's signature
        from ctxchat.tui.commands import COMMANDS

        for command in COMMANDS:
            yield SystemCommand(command.usage, command.does, lambda c=command: self.actions.from_palette(c))

    def export_screenshot(self, *, title: str | None = None, simplify: bool = True) -> str:
        from ctxchat.tui.pictures import without_hosts

        return without_hosts(super().export_screenshot(title=title, simplify=simplify))

    def action_act(self, action: str) -> None:
        self.act(action)

    def action_new(self) -> None:
        self.act("new")

    def action_copy_or_hint(self) -> None:
        self.notify("Esc stops an answer, Ctrl-Q leaves", timeout=3)

    async def action_quit(self) -> None:
        """Stop what runs, and leave: what was answered so far is on record."""
        if not self._begun:
            self.exit(0)
            return
        from ctxchat.tui import unsent

        draft, waiting = self.chat.composer.draft, self.chat.waiting
        unsent.keep(self.asking.conversation, [draft, *waiting] if draft else [*waiting])
        waiting.clear()
        self.stopped = self.chat.work.stop(QUIT_SECONDS)
        self.exit(0)
