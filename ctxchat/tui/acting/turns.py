"""What can be done with a turn: answer it again, go on with it, change it, take it away."""

from collections.abc import Iterator
from contextlib import suppress

from ctxchat.display.code_block import first_code_block
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import CtxChatError, UsageError
from ctxchat.domain.events import TurnEvent, TurnFinished
from ctxchat.service.request import AskRequest, Reply
from ctxchat.tui.acting.base import Acting
from ctxchat.tui.chat.turn_view import ShownTurn, TurnView
from ctxchat.tui.chat.written import Written
from ctxchat.tui.shown import ShownConversation, shown_conversation
from ctxchat.tui.work import Events


class TurnActions(Acting):
    recorded: ShownConversation | None = None
    """The conversation of the last turn as it stood on record when that was over, where it could be read."""

    def answered(self, request: AskRequest) -> Events:
        """The events of a turn; behind the last the record is read, in the same thread."""

        def events(cancel: Cancel) -> Iterator[TurnEvent]:
            self.recorded = None
            for event in self.services.chat.ask(request, cancel):
                yield event
                if isinstance(event, TurnFinished) and event.receipt.session is not None:
                    meant = event.receipt.session
                    with suppress(CtxChatError):
                        self.recorded = shown_conversation(self.services, meant, counted=False)

        return events

    @property
    def last(self) -> TurnView:
        """The last turn that is shown. Raises UsageError where there is none."""
        if not self.chat.transcript.turns:
            raise UsageError("there is no turn yet")
        return self.chat.transcript.turns[-1]

    async def again(self, _: str = "", turn: TurnView | None = None) -> None:
        self.still()
        self._check_last(turn)
        request = self.app.asking.reply(self.conversation, Reply.AGAIN)
        old = self.last
        shown = ShownTurn(old.shown.question, old.shown.attached, question_id=old.shown.question_id)
        await old.remove()
        await self.chat.run_turn(self.answered(request), shown)

    async def go_on(self, _: str = "", turn: TurnView | None = None) -> None:
        self.still()
        self._check_last(turn)
        if not self.last.shown.cut:
            raise UsageError("the last answer is whole: there is no rest of it")
        request = self.app.asking.reply(self.conversation, Reply.REST)
        self.chat.go_on(self.answered(request), self.last)

    async def edit(self, _: str = "", turn: TurnView | None = None) -> None:
        conversation, message = self.conversation, message_of(turn)
        composed = await self.change(lambda: self.services.turns.edit(conversation, message))
        await self.app.talk.open(conversation)
        self.chat.composer.write(Written(composed.text, composed.attachments))

    async def delete(self, _: str = "", turn: TurnView | None = None) -> None:
        conversation, message = self.conversation, message_of(turn)
        composed = await self.change(lambda: self.services.turns.delete(conversation, message))
        await self.app.talk.open(conversation)
        self.say(
            f"{composed.turns} turns taken off: /undo brings them back"
            if composed.turns != 1
            else "taken off: /undo brings it back"
        )

    async def undo(self, _: str = "", turn: TurnView | None = None) -> None:  # noqa: ARG002 - as others
        conversation = self.conversation
        undone = await self.change(lambda: self.services.turns.undo(conversation))
        await self.app.talk.open(conversation)
        self.say(f"taken back: {undone.change.value}")

    async def copy(self, _: str = "", turn: TurnView | None = None) -> None:
        shown = (turn or self.last).shown
        self.app.copy_to_clipboard(shown.answer or shown.question)
        self.say("copied")

    async def copy_code(self, _: str = "", turn: TurnView | None = None) -> None:
        code = first_code_block((turn or self.last).shown.answer)
        if code is None:
            raise UsageError("there is no code block in this answer")
        self.app.copy_to_clipboard(code)
        self.say("code copied")

    async def pin(self, text: str) -> None:
        if not text:
            raise UsageError("give the text: /pin TEXT")
        if self.app.asking.conversation is None:
            self.app.asking.pins = (*self.app.asking.pins, text)
        else:
            conversation = self.conversation
            await self.change(lambda: self.services.pins.add(conversation, text))
        self.say("pinned: it stands in every prompt from now on")

    async def pin_turn(self, _: str = "", turn: TurnView | None = None) -> None:
        shown = (turn or self.last).shown
        await self.pin(shown.answer or shown.question)

    def _check_last(self, turn: TurnView | None) -> None:
        """Raises UsageError for a turn that is not the last."""
        if turn is not None and turn is not self.last:
            raise UsageError("only the last answer: f goes on from here in a copy, e asks this again")


def message_of(turn: TurnView | None) -> str | None:
    """The id on record of what was said last in a turn."""
    return None if turn is None else turn.shown.answer_id or turn.shown.question_id
