"""The one thread that asks the model: it touches no widget, it posts."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from threading import Condition, Thread
from typing import Any, TypeVar

from textual.message import Message

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import CtxChatError, UsageError
from ctxchat.domain.events import ModelLoading, Prefilled, ReasoningGenerated, TextGenerated, TurnEvent
from ctxchat.tui.messages import Happened, Progressed, WorkBegan, WorkEnded

FLUSH_SECONDS = 0.25
"""A screen redrawn four times a second costs a fifth of a core; one redrawn for each token, half."""

Result = TypeVar("Result")
Events = Callable[[Cancel], Iterator[TurnEvent]]


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do in the thread. What `yields` gives way to whatever comes behind it. `awaited` is what
    somebody waits for, where somebody does."""

    number: int
    events: Events
    yields: bool = False
    awaited: Future[Any] | None = None
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

    @property
    def working(self) -> bool:
        """Whether something runs that a person asked for, and not upkeep."""
        current = self._current
        return current is not None and not current.yields and current.awaited is None

    def begin(self, events: Events, *, yields: bool = False) -> int:
        """Put something to do behind the others; returns its number."""
        return self._put(Work(next(self._numbers), events, yields))

    def submit(self, function: Callable[[], Result]) -> "Future[Result]":
        """What a function returns, or raises, when it is its turn in the thread. Upkeep gives way to it."""
        future: Future[Result] = Future()

        def events(_: Cancel) -> Iterator[TurnEvent]:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except Exception as error:
                    future.set_exception(error)
            return iter(())

        self._put(Work(next(self._numbers), events, awaited=future))
        return future

    async def call(self, function: Callable[[], Result]) -> Result:
        """The same for the loop, which goes on meanwhile."""
        return await asyncio.wrap_future(self.submit(function))

    def _put(self, work: Work) -> int:
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

    def cancel(self) -> None:
        """Stop what is running now. It ends by itself, with what it has."""
        with self._changed:
            if self._current is not None:
                self._current.cancel.request()

    def stop(self, seconds: float) -> bool:
        """Stop everything, and wait at most so long for it; says whether nothing runs any more."""
        with self._changed:
            given_up = [work.awaited for work in self._waiting if work.awaited]
            self._waiting.clear()
            for future in given_up:
                if future.set_running_or_notify_cancel():
                    future.set_exception(UsageError("the chat is over"))
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
