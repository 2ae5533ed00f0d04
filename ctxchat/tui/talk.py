"""The conversation that is open in the chat: how it is shown, and what is asked in it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.content import Content

from ctxchat.display.plain_text import one_line
from ctxchat.domain.errors import CtxChatError
from ctxchat.domain.ports import Model
from ctxchat.tui import unsent
from ctxchat.tui.acting.base import Acting, loaded
from ctxchat.tui.chat.transcript import StepLine
from ctxchat.tui.chat.turn_view import ShownTurn
from ctxchat.tui.chat.written import Written
from ctxchat.tui.commands import BY_NAME, near, parsed
from ctxchat.tui.drafting import Drafting, cost_of
from ctxchat.tui.shown import ShownConversation, shown_conversation

if TYPE_CHECKING:
    from ctxchat.tui.app import ChatApp


class Talk(Acting):
    """Shows a conversation, and asks in it; `turns` counts those on record."""

    def __init__(self, app: "ChatApp") -> None:
        super().__init__(app)
        self.turns = 0
        self.drafting = Drafting(
            lambda draft: cost_of(self.services, app.asking, draft), self.chat.post_message
        )
        self._learned_of: Model | None = None

    async def open_first(self) -> None:
        """Open what the command line named, and ask its words. Where that fails they are kept."""
        written = Written(self.app.start.words, self.app.start.attachments, self.app.start.data)
        for warning in self.app.start.warnings:
            await self.chat.transcript.note(StepLine(f"! {warning}", "step warned"))
        try:
            await self.app.actions.open_start()
        except CtxChatError as error:
            self.chat.composer.write(written)
            await self.app.actions.ways_on(str(error), error.exit_code, self.open_first)
            return
        await self.app.actions.let_go()
        self._bring_back_unsent()
        if written.text:
            await self.ask(written)
        else:
            self.chat.composer.attach_all(written)

    async def open(self, conversation: str | None) -> None:
        """Show a conversation, None for a new one; of the one that is open, what it has become. Raises
        CtxChatError."""
        if conversation is None:
            self.app.asking.begin_anew()
            await self._show((), 0, same=False)
            return
        found = await self.read(lambda: shown_conversation(self.services, conversation))
        same = found.id == self.app.asking.conversation
        self.app.asking.conversation, self.app.asking.name = found.id, found.name
        await self._show(found.turns, found.count, same=same)

    async def _show(self, turns: Sequence[ShownTurn], count: int, *, same: bool) -> None:
        transcript = self.chat.transcript
        if same:
            known = {turn.answer_id: turn.about for turn in transcript.shown if turn.answer_id}
            for turn in turns:
                turn.about = known.get(turn.answer_id or "") or turn.about
        else:
            self.app.receipts.clear()
            self.chat.metered(())
        self.turns = count
        await transcript.show(turns)
        self.chat.composer.recall_all([turn.question for turn in turns if turn.question])
        self.entitle()
        self.count_draft()

    def count_draft(self) -> None:
        """Count the draft again: what stands before it is another."""
        self.drafting.count(self.chat.composer.draft)

    def named(self, now: ShownConversation) -> None:
        """Take what the record says of the conversation in which something was asked."""
        self.app.asking.conversation, self.app.asking.name, self.turns = now.id, now.name, now.count

    def _bring_back_unsent(self) -> None:
        """Put what was not sent when this conversation was left into the composer, and in the queue."""
        written = unsent.kept(self.app.asking.conversation)
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
            draft = await self.app.actions.with_mentioned(draft)
        except CtxChatError as error:
            self.app.tell(str(error))
            self.chat.composer.write(draft)
            return
        request = self.app.asking.request(draft)
        shown = ShownTurn(draft.text, draft.labels)
        await self.chat.run_turn(self.app.actions.answered(request), shown, draft)

    def entitle(self) -> None:
        """The line above the transcript: model, window, conversation."""
        facts, name = loaded(self.services.chat.model), self.app.asking.name
        parts = [Content(one_line(facts.name))] if facts is not None else []
        parts.append(Content.assemble("new conversation" if name is None else (one_line(name), "bold")))
        if self.turns:
            parts.append(Content(f"turn {self.turns:,}"))
        self.chat.entitle(Content(" · ").join(parts))

    async def sent(self, draft: Written) -> None:
        """Do what was written: a command, or a question."""
        command = parsed(draft.text)
        if command is None:
            await self.ask(draft)
        elif command[0] in BY_NAME:
            self.app.run_worker(self.app.actions.obey(BY_NAME[command[0]], command[1]))
        else:
            meant = " or ".join(f"/{name}" for name in near(command[0]))
            self.chat.composer.write(draft)
            self.app.notify(
                f"there is no /{command[0]}" + (f": did you mean {meant}?" if meant else ""),
                severity="warning",
                markup=False,
            )

    async def learn(self) -> None:
        """Count what is shown with the model that is loaded now, once for each."""
        model = self.services.chat.model
        if loaded(model) is None or model is self._learned_of:
            return
        self._learned_of = model
        conversation = self.app.asking.conversation
        if conversation is not None:
            with suppress(CtxChatError):
                found = await self.read(lambda: shown_conversation(self.services, conversation))
                self.chat.transcript.learn(found.turns)
