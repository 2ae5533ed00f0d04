"""What all actions share."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual.screen import Screen

from ctxchat.display.plain_text import clean
from ctxchat.domain.errors import CtxChatError, UsageError
from ctxchat.domain.model import ModelFacts
from ctxchat.domain.ports import Model

if TYPE_CHECKING:
    from ctxchat.service.open_services import Services
    from ctxchat.tui.app import ChatApp
    from ctxchat.tui.chat.screen import ChatScreen

Result = TypeVar("Result")


class Acting:
    """Actions run in workers of the loop, so that the screen goes on; what changes the record runs in the
    thread of turns, and upkeep gives way to it. What only reads may wait for another process, and runs in
    a thread too."""

    def __init__(self, app: "ChatApp") -> None:
        self.app = app

    @property
    def services(self) -> "Services":
        return self.app.services

    @property
    def chat(self) -> "ChatScreen":
        return self.app.chat

    @property
    def conversation(self) -> str:
        """The id of the open conversation. Raises UsageError before its first question."""
        if self.app.asking.conversation is None:
            raise UsageError("nothing was said in this conversation yet")
        return self.app.asking.conversation

    def still(self) -> None:
        """Raises UsageError while a turn is answered."""
        if self.chat.busy:
            raise UsageError("an answer is being written: Esc stops it")

    async def change(self, function: Callable[[], Result]) -> Result:
        """Do something to the record between two turns."""
        self.still()
        return await self.chat.work.call(function)

    def between_turns(self, function: Callable[[], Result]) -> Result:
        """The same for another thread, which waits: nothing else asks the model meanwhile."""
        self.still()
        return self.chat.work.submit(function).result()

    async def read(self, function: Callable[[], Result]) -> Result:
        """Read the record, which may wait for another process."""
        return await asyncio.to_thread(function)

    def say(self, text: str) -> None:
        self.app.notify(clean(text), markup=False)

    async def ask_screen(self, screen: Screen[Result]) -> Result | None:
        """Open a screen, and wait for what it is closed with."""
        return await self.app.push_screen_wait(screen)

    async def ask_quietly(self, screen: Screen[Result]) -> Result | None:
        """The same for a screen that changes the conversation: upkeep, which holds it, gives way first,
        and goes on behind it."""
        await self.change(lambda: None)
        closed = await self.ask_screen(screen)
        if not self.chat.busy:
            self.app.keep_up()
        return closed


def loaded(model: Model | None) -> ModelFacts | None:
    """What a model tells about itself; None while it cannot yet."""
    try:
        return None if model is None else model.facts
    except CtxChatError:
        return None
