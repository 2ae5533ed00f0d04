"""The one thread that asks the model: it touches no widget, it posts."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from threading import Condition, Thread
from typing import TypeVar

from textual.message import Message

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import CtxChatError
from ctxchat.domain.events import ModelLoading, Prefilled, ReasoningGenerated, TextGenerated, TurnEvent
from ctxchat.tui.messages import Happened, Progressed, WorkBegan, WorkEnded

FLUSH_SECONDS = 0.25
"""A screen redrawn four times a second costs a fifth of a core; one redrawn for each token, half."""

Result = TypeVar("Result")
Events = Callable[[Cancel], Iterator[TurnEvent]]


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do in the thread. What `yields` gives way to whatever comes behind it."""

    number: int
    events: Events
    yields: bool = False
    cancel: Cancel = field(default_factory=Cancel)


class TurnWork:
    """Runs pieces of work one after another, in a daemon thread that begins with the first, and posts
    what they yield. Text is gathered, and posted about four times a second."""

    def __init__(
        self, post: Callable[[Message], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._post = post
        self._clock = clock
        self._numbers = count(1)
        self._waiting: deque[Work] = deque()
        self._current: Work | None = None
        self._changed = Condition()
        self._thread: Thread | None = None

    def begin(self, events: Events, *, yields: bool = False) -> int:
        """Put something to do behind the others; returns its number."""
        work = Work(next(self._numbers), events, yields)
        with self._changed:
            self._waiting = deque(other for other in self._waiting if not other.yields)
            self._waiting.append(work)
            if self._current is not None and self._current.yields:
                self._current.cancel.request()
            self._changed.notify_all()
        if self._thread is None:
            self._thread = Thread(target=self._run, name="turn", daemon=True)
            self._thread.start()
        return work.number

    async def call(self, function: Callable[[], Result]) -> Result:
        """What a function returns, or raises, when it is its turn in the thread. Upkeep gives way to it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()

        def events(_: Cancel) -> Iterator[TurnEvent]:
            try:
                result = function()
            except Exception as error:
                loop.call_soon_threadsafe(future.set_exception, error)
            else:
                loop.call_soon_threadsafe(future.set_result, result)
            return iter(())

        self.begin(events)
        return await future

    def cancel(self) -> None:
        """Stop what is running now. It ends by itself, with what it has."""
        with self._changed:
            if self._current is not None:
                self._current.cancel.request()

    def stop(self, seconds: float) -> bool:
        """Stop everything, and wait at most so long for it; says whether nothing runs any more."""
        with self._changed:
            self._waiting.clear()
            if self._current is not None:
                self._current.cancel.request()
            return self._changed.wait_for(lambda: self._current is None, seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                self._current = work = self._waiting.popleft()
            self._post(WorkBegan(work.number))
            ended = self._finished(work)
            with self._changed:
                self._current = None
                self._changed.notify_all()
            self._post(ended)

    def _finished(self, work: Work) -> WorkEnded:
        """Do it to its end, whatever becomes of it."""
        try:
            self._follow(work)
        except CtxChatError as error:
            return WorkEnded(work.number, str(error), error.exit_code)
        except Exception as error:
            if os.environ.get("CTXCHAT_DEBUG"):
                raise
            return WorkEnded(work.number, f"internal error: {type(error).__name__}: {error}", 1)
        return WorkEnded(work.number)

    def _follow(self, work: Work) -> None:
        gathered: list[TurnEvent] = []
        posted_at = self._clock()

        def flush() -> None:
            nonlocal posted_at
            if gathered:
                self._post(Happened(work.number, tuple(gathered)))
                gathered.clear()
                posted_at = self._clock()

        for event in work.events(work.cancel):
            if isinstance(event, ModelLoading | Prefilled):
                flush()
                self._post(Progressed(work.number, event))
                continue
            gathered.append(event)
            if not isinstance(event, ReasoningGenerated | TextGenerated) or (
                self._clock() - posted_at >= FLUSH_SECONDS
            ):
                flush()
        flush()
