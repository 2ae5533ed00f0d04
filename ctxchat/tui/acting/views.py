"""Screens that show what is sent, what it costs, and how that is set."""

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from ctxchat.display.editor import edited
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import TurnFinished
from ctxchat.service.request import AskRequest
from ctxchat.tui.acting.base import Acting
from ctxchat.tui.chat.request import HOLD_NOW
from ctxchat.tui.chat.turn_view import TurnView
from ctxchat.tui.screen_stream import stderr_on_screen

if TYPE_CHECKING:
    from ctxchat.service.plan import Costing


class ViewActions(Acting):
    async def settings(self, _: str) -> None:
        from ctxchat.tui.screens.settings import SettingsScreen

        load = self.app.start.settings
        closed = await self.ask_screen(SettingsScreen(load, self.services.settings_file, HOLD_NOW))
        if closed is not None:
            self.app.asking.take(await self.read(load), closed.keys)
            self.app.talk.count_draft()

    async def plan(self, _: str = "") -> None:
        from ctxchat.tui.screens.plan import PlanScreen

        draft = self.chat.composer.draft
        question = draft if draft.text else replace(draft, text="…")
        request = self.app.asking.request(question, dry_run=True)
        await self.ask_screen(PlanScreen(lambda: self.between_turns(lambda: self._costing(request))))

    def _costing(self, request: AskRequest) -> "Costing | None":
        """What a request would cost under other budgets."""
        receipts = [
            event.receipt
            for event in self.services.chat.ask(request, Cancel())
            if isinstance(event, TurnFinished)
        ]
        return self.services.chat.costing(receipts[-1])

    async def context(self, _: str = "", turn: TurnView | None = None) -> None:  # noqa: ARG002 - of all turns
        from ctxchat.tui.screens.ledger import LedgerScreen

        limit = self.app.asking.sampling.max_tokens
        chat, receipts = self.services.chat, self.app.receipts
        screen = LedgerScreen(
            self.services.rows,
            self.app.asking.conversation,
            lambda meant: self.between_turns(lambda: chat.standing(meant, limit, Cancel())),
            receipts[-1] if receipts else None,
        )
        closed = await self.ask_quietly(screen)
        if closed is None:
            return
        if closed.compact is not None:
            await self.fold(through=closed.compact)
        if closed.changed:
            self.app.talk.count_draft()

    async def summary(self, _: str = "") -> None:
        from ctxchat.tui.screens.summary import SummaryScreen

        conversation = self.app.asking.conversation
        screen = SummaryScreen(
            self.services.summaries, conversation, self.services.vocabulary, self._in_editor
        )
        closed = await self.ask_quietly(screen)
        if closed is not None and closed.changed:
            await self.app.talk.open(conversation)

    async def compact(self, focus: str) -> None:
        await self.fold(focus=focus)

    async def fold(self, *, through: str | None = None, focus: str = "") -> None:
        """Fold turns into a summary now: up to that of a message, or all but the last."""
        self.still()
        reference, limit = self.conversation, self.app.asking.sampling.max_tokens
        conversation = await self.read(lambda: self.services.conversations.resolve(reference))
        chat = self.services.chat
        self.chat.begin(
            lambda cancel: chat.compact(conversation, limit, cancel, through=through, focus=focus)
        )

    def _in_editor(self, text: str) -> str:
        """A text as the person leaves it in their own editor. Raises UsageError."""
        try:
            with self.app.suspend(), stderr_on_screen():
                return edited(text)
        except SuspendNotSupported:
            raise UsageError("this terminal cannot give way to an editor") from None

    async def meters(self, _: str) -> None:
        self.chat.action_meters()
