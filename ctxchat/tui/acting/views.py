"""Screens that show what is sent, what it costs, and how that is set."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ctxchat.display.ledger import aligned
from ctxchat.display.plain_text import shortened
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import TurnFinished
from ctxchat.tui.acting.base import Acting
from ctxchat.tui.chat.turn_view import TurnView

if TYPE_CHECKING:
    from ctxchat.service.plan import Costing


class ViewActions(Acting):
    async def settings(self, _: str) -> None:
        from ctxchat.tui.screens.settings import SettingsScreen

        settings = self.services.settings
        await self.ask_screen(SettingsScreen(lambda: settings, self.services.settings_file))

    async def context(self, _: str = "", turn: TurnView | None = None) -> None:  # noqa: ARG002 - of all turns
        from ctxchat.tui.screens.text import TextScreen

        limit = self.app.asking.sampling.max_tokens
        conversation = self.services.conversations.resolve(self.conversation)
        prompt = await self.change(lambda: self.services.chat.standing(conversation, limit, Cancel()))
        rows = self.services.rows.listing(conversation, prompt)
        lines = aligned(
            ((row.section.value, f"{row.tokens:,}", shortened(row.text, 80)) for row in rows), (1,)
        )
        await self.ask_screen(TextScreen("What the next turn sends", "\n".join(lines)))

    async def plan(self, _: str = "") -> None:
        from ctxchat.tui.screens.plan import PlanScreen

        await self.ask_screen(PlanScreen(self._costing))

    def _costing(self) -> "Costing | None":
        """What the draft would cost, or the last question once more; called in a thread."""
        draft = self.chat.composer.draft
        question = draft if draft.text else replace(draft, text="…")
        request = self.app.asking.request(question, dry_run=True)
        receipts = [
            event.receipt
            for event in self.services.chat.ask(request, Cancel())
            if isinstance(event, TurnFinished)
        ]
        return self.services.chat.costing(receipts[-1])

    async def summary(self, _: str = "") -> None:
        from ctxchat.tui.screens.text import TextScreen

        blocks = self.services.summaries.shown(self.conversation).blocks
        await self.ask_screen(TextScreen("Summary", "\n\n".join(block.text for block in blocks)))

    async def meters(self, _: str) -> None:
        self.chat.action_meters()
