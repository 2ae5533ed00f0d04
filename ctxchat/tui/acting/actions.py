"""All actions, by the names that commands and keys give them."""

from collections.abc import Coroutine
from typing import Any

from ctxchat.domain.errors import CtxChatError
from ctxchat.domain.receipt import Receipt
from ctxchat.tui.acting.context import ContextActions
from ctxchat.tui.acting.conversations import ConversationActions
from ctxchat.tui.acting.turns import TurnActions
from ctxchat.tui.chat.screen import ChatScreen
from ctxchat.tui.chat.turn_view import TurnView
from ctxchat.tui.commands import Command


class Actions(ConversationActions, TurnActions, ContextActions):
    """Does what is named, and says in a corner what went wrong with it."""

    async def do(self, action: str, argument: str) -> None:
        await self._told(getattr(self, action)(argument))

    async def do_key(self, turn: TurnView, name: str) -> None:
        await self._told(self.do_on(turn, name))

    async def _told(self, action: Coroutine[Any, Any, None]) -> None:
        try:
            await action
        except CtxChatError as error:
            self.app.tell(error)

    def from_palette(self, command: Command) -> None:
        """Do a command, or write its beginning where it needs more."""
        if command.at_once:
            self.app.act(command.action)
        else:
            self.chat.composer.set_text(f"/{command.name} ")

    async def settle(self, receipt: Receipt) -> None:
        """Take what a turn that is over says of the conversation: its id, and those of its messages."""
        if receipt.session is None:
            return
        self.app.asking.conversation = receipt.session
        self.app.note_ids()

    async def help(self, _: str) -> None:
        self.say("help")

    async def meters(self, _: str) -> None:
        self.chat.action_meters()

    async def quit(self, _: str) -> None:
        await self.app.action_quit()

    async def failed(self, message: ChatScreen.Failed) -> None:
        """A piece of work that ended in an error: the question goes back where it came from."""
        if message.draft is not None:
            self.chat.composer.write(message.draft)
        self.app.notify(message.failure, severity="error", markup=False)
