"""What went wrong, and the ways on."""

from ctxchat.domain.errors import EngineError, ModelError, StoreError
from ctxchat.tui.acting.context import ContextActions
from ctxchat.tui.acting.turns import TurnActions
from ctxchat.tui.chat.written import Written
from ctxchat.tui.chat.screen import ChatScreen

_TITLES = {
    ModelError.exit_code: "The model cannot be used",
    StoreError.exit_code: "The record cannot be used",
    EngineError.exit_code: "The model failed",
}


class FailureActions(TurnActions, ContextActions):
    async def settle(self, message: ChatScreen.Finished) -> None:
        """Take what a turn that is over says: the id of the conversation, and what went wrong."""
        receipt = message.receipt
        if receipt.session is not None:
            self.app.asking.conversation = receipt.session
            self.app.note_ids()
        if receipt.error is not None:
            self._give_back(message.draft)
            if receipt.error.code in _TITLES:
                self.app.run_worker(self._ways_on(receipt.error.message, receipt.error.code))

    async def failed(self, message: ChatScreen.Failed) -> None:
        """A piece of work that ended in an error: what was asked in it goes back where it came from."""
        if message.draft is not None:
            await self.last.remove()
            self._give_back(message.draft)
        if message.code in _TITLES:
            await self._ways_on(message.failure, message.code)
        else:
            self.app.notify(message.failure, severity="error", markup=False)

    def _give_back(self, draft: Written | None) -> None:
        """Put a question that was not answered back, unless another is being written."""
        composer = self.chat.composer
        if draft is not None and not composer.draft.text:
            composer.write(draft)

    async def _ways_on(self, failure: str, code: int) -> None:
        from ctxchat.tui.screens.failure import FailureScreen, WayOn

        choices = [WayOn("retry", "Try again"), WayOn("models", "Another model"), WayOn("quit", "Quit")]
        chosen = await self.ask_screen(FailureScreen(_TITLES[code], failure, choices))
        if chosen is None:
            return
        if chosen.name == "retry":
            await self._retry()
        elif chosen.name == "models":
            await self.app.actions.do("model", "")
        else:
            await self.app.action_quit()

    async def _retry(self) -> None:
        """Ask once more what was given back; where nothing was, load the model."""
        draft = self.chat.composer.draft
        if not draft.text:
            self.chat.load(self.services.chat.load)
            return
        if self.chat.transcript.turns and not self.last.shown.answer:
            await self.last.remove()
        self.chat.composer.write(Written(""))
        await self.app.ask(draft)
