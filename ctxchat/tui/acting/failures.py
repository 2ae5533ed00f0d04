"""What went wrong, and the ways on."""

from collections.abc import Awaitable, Callable
from functools import partial

from ctxchat.domain.errors import CtxChatError, EngineError, ModelError, StoreError
from ctxchat.tui.acting.context import ContextActions
from ctxchat.tui.acting.conversations import ConversationActions
from ctxchat.tui.acting.turns import TurnActions
from ctxchat.tui.chat.screen import ChatScreen
from ctxchat.tui.chat.written import Written

Again = Callable[[], Awaitable[None]]

_LABELS = {
    "again": "Try again",
    "model": "Another model",
    "new": "New conversation",
    "quit": "Quit",
}
_WAYS = {
    ModelError.exit_code: ("The model cannot be used", ("again", "model", "quit")),
    StoreError.exit_code: ("The record cannot be used", ("again", "new", "quit")),
    EngineError.exit_code: ("The model failed", ("again", "model", "new", "quit")),
}


class FailureActions(ConversationActions, TurnActions, ContextActions):
    failing = False

    async def settle(self, message: ChatScreen.Finished) -> None:
        """Take what a turn that is over says: the conversation as it now stands, and what went wrong."""
        receipt, view, now = message.receipt, self.last, self.recorded
        if now is not None:
            self.app.talk.named(now)
            if now.turns:
                view.shown.question_id = now.turns[-1].question_id
                view.shown.answer_id = now.turns[-1].answer_id
                view.shown.finish = now.turns[-1].finish or view.shown.finish
        if receipt.error is not None:
            if not receipt.answer:
                self._give_back(message.draft)
            again = partial(self.ask_again, message.draft)
            self.app.run_worker(self.ways_on(receipt.error.message, receipt.error.code, again))

    async def failed(self, message: ChatScreen.Failed) -> None:
        """A piece of work that ended in an error: what was asked in it goes back where it came from."""
        if message.draft is not None:
            await self.last.remove()
            self._give_back(message.draft)
        elif message.turn:
            await self.app.talk.open(self.conversation)
        if message.turn:
            await self.ways_on(message.failure, message.code, partial(self.ask_again, message.draft))
        elif message.events is not None:
            events = message.events

            async def again() -> None:
                self.chat.begin(events)

            await self.ways_on(message.failure, message.code, again)
        else:
            self.app.tell(message.failure)

    async def ways_on(self, failure: str, code: int, again: Again) -> None:
        """Say what went wrong, and do what the person then wants. Where that is asked already, what came
        next is said in a corner."""
        from ctxchat.tui.screens.failure import FailureScreen, WayOn

        if code not in _WAYS or self.failing:
            self.app.tell(failure)
            return
        title, ways = _WAYS[code]
        self.failing = True
        try:
            screen = FailureScreen(title, failure, [WayOn(way, _LABELS[way]) for way in ways])
            chosen = await self.ask_screen(screen)
        finally:
            self.failing = False
        if chosen is not None:
            await self._go(chosen.name, again)

    async def _go(self, way: str, again: Again) -> None:
        if way == "again":
            try:
                await again()
            except CtxChatError as error:
                await self.ways_on(str(error), error.exit_code, again)
        elif way == "model":
            await self.model("")
        elif way == "new":
            await self.new("")
        else:
            await self.app.action_quit()

    def _give_back(self, draft: Written | None) -> None:
        """Put a question that was not answered back, unless another is being written."""
        if draft is not None and not self.chat.composer.draft:
            self.chat.composer.write(draft)

    async def ask_again(self, draft: Written | None) -> None:
        """Ask once more what failed: where it is on record, it is answered again."""
        composer = self.chat.composer
        if draft is not None and composer.draft == draft:
            composer.write(Written(""))
        if draft is None:
            await self.app.talk.open(self.conversation)
        if self.last.shown.question_id is not None:
            await (self.go_on() if draft is None and self.last.shown.cut else self.again())
        elif draft is not None:
            await self.last.remove()
            await self.app.talk.ask(draft)
