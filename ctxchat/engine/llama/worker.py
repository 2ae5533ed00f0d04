"""The one thread that makes every call which takes a llama.cpp context."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError

T = TypeVar("T")

GLANCE = 0.1
"""Seconds after which whoever waits looks up: a signal that came just before the wait began does
not end it, and its handler would not run."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """The end of a stream, and what ended it where it was an error."""

    error: BaseException | None


@dataclass(frozen=True, slots=True)
class _Step(Generic[T]):
    """One thing that was emitted, so that it is never mistaken for the end."""

    value: T


class Worker:
    """Runs one job at a time, in the order they come, on a thread of its own.

    A job emits what it has as it goes and never waits for whoever reads it, so decoding runs
    without a handover between threads for each token.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._current: Cancel | None = None
        self._closed = False
        # A daemon, because the interpreter would wait for it at its end before anything could
        # tell it to stop; `close` does wait.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def stream(self, job: Callable[[Callable[[T], None]], None], stop: Cancel) -> Iterator[T]:
        """Run a job and give out what it emits, then raise what it raised.

        Closing the iterator requests `stop` and waits for the job's end. A signal handler runs
        while this waits.
        """
        if self._closed:
            raise EngineError("the model is closed: load it again")
        steps: SimpleQueue[_Step[T] | _Ended] = SimpleQueue()
        self._jobs.put(partial(self._run, job, steps, stop))
        ended = None
        try:
            while not isinstance(step := _next(steps), _Ended):
                yield step.value
            ended = step
        finally:
            if ended is None:
                stop.request()
                while not isinstance(_next(steps), _Ended):
                    pass
        if ended.error is not None:
            raise ended.error

    def call(self, function: Callable[[], T]) -> T:
        """Run a short function between jobs and return its value."""

        def job(emit: Callable[[T], None]) -> None:
            emit(function())

        (value,) = self.stream(job, Cancel())
        return value

    def close(self) -> None:
        """Stop the job that is running, and end. Safe to call twice."""
        if not self._closed:
            self._closed = True
            if self._current is not None:
                self._current.request()
            self._jobs.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _run(
        self,
        job: Callable[[Callable[[T], None]], None],
        steps: SimpleQueue[_Step[T] | _Ended],
        stop: Cancel,
    ) -> None:
        self._current = stop
        error = None
        try:
            job(lambda value: steps.put(_Step(value)))
        except BaseException as raised:
            error = raised
        finally:
            self._current = None
            steps.put(_Ended(error))


def _next(steps: SimpleQueue[T]) -> T:
    while True:
        try:
            return steps.get(timeout=GLANCE)
        except Empty:
            continue
