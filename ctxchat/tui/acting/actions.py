"""All actions, by the names that commands and keys give them."""

from collections.abc import Coroutine
from typing import Any

from ctxchat.domain.errors import CtxChatError
from ctxchat.tui.acting.failures import FailureActions
from ctxchat.tui.acting.views import ViewActions
from ctxchat.tui.chat.turn_view import TurnView
from ctxchat.tui.commands import COMMANDS, KEYS, Command


class Actions(FailureActions, ViewActions):
    """Does what is named, and says in a corner what went wrong with it."""

    async def do(self, action: str, argument: str) -> None:
        await self.told(getattr(self, action)(argument))

    async def obey(self, command: Command, argument: str) -> None:
        """Do a command as it was written. One that cannot be done comes back, to be written otherwise."""
        done = await self.told(getattr(self, command.action)(argument))
        if not done and argument and not self.chat.composer.draft.text:
            self.chat.composer.set_text(f"/{command.name} {argument}")

    async def do_key(self, turn: TurnView, name: str) -> None:
        await self.told(getattr(self, name)("", turn=turn))

    async def told(self, action: Coroutine[Any, Any, None]) -> bool:
        """Do it, and say in a corner what went wrong with it; gives whether it was done."""
        try:
            await action
        except (CtxChatError, OSError) as error:
            self.app.tell(str(error))
            return False
        return True

    def from_palette(self, command: Command) -> None:
        """Do a command, or write its beginning where it needs more."""
        if command.at_once:
            self.app.act(command.action)
        else:
            self.chat.composer.set_text(f"/{command.name} ")

    async def help(self, _: str) -> None:
        from ctxchat.tui.screens.help import HelpRow, HelpScreen

        rows = [HelpRow(command.usage, command.does) for command in COMMANDS]
        await self.ask_screen(HelpScreen(rows, [HelpRow(*row) for row in KEYS]))

    async def quit(self, _: str) -> None:
        await self.app.action_quit()
