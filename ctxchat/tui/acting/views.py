"""Screens that show what is sent, what it costs, and how that is set."""

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import UsageError
from ctxchat.domain.prompt import Prompt
from ctxchat.tui.acting.base import Acting


class ViewActions(Acting):
    async def settings(self, _: str) -> None:
        from ctxchat.tui.screens.settings import SettingsScreen

        settings = self.services.settings
        await self.ask_screen(SettingsScreen(lambda: settings, self.services.settings_file))

    async def standing(self) -> Prompt:
        """What the next turn would send before its question."""
        conversation = self.services.conversations.resolve(self.conversation)
        limit = self.app.asking.sampling.max_tokens
        return await self.change(lambda: self.services.chat.standing(conversation, limit, Cancel()))

    async def context(self, _: str = "") -> None:
        raise UsageError("to come")

    async def plan(self, _: str = "") -> None:
        raise UsageError("to come")

    async def summary(self, _: str = "") -> None:
        raise UsageError("to come")

    async def meters(self, _: str) -> None:
        self.chat.action_meters()
