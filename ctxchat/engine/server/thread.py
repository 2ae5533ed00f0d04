"""A thread for each answer, which can be left behind."""

import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import TypeVar

from ctxchat.domain.cancel import Cancel

T = TypeVar("T")

GLANCE = 0.1
"""Seconds after which whoever waits looks up, so that the handler of a signal runs."""

PATIENCE = 1.0
"""Seconds that a job is given to end once it is to stop. One that only waits for a connection to be made
cannot be woken: it is left to end by itself, and nothing it does is seen."""


class _Ended:
    """The end of a job, and what ended it where it was an error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def streamed(job: Callable[[Callable[[T], None]], None], stop: Cancel, name: str) -> Iterator[T]:
    """Run a job and give out what it emits, then raise what it raised. Closing the iterator requests `stop`.
    Where the job does not end in time after that, the iterator ends without it."""
    steps: SimpleQueue[T | _Ended] = SimpleQueue()

    def work() -> None:
        error = None
        try:
            job(steps.put)
        except BaseException as raised:
            error = raised
        finally:
            steps.put(_Ended(error))

    threading.Thread(target=work, name=name, daemon=True).start()
    ended = False
    try:
        while (step := _next(steps, stop)) is not None:
            if isinstance(step, _Ended):
                ended = True
                if step.error is not None:
                    raise step.error
                return
            yield step
    finally:
        if not ended:
            stop.request()
            while (step := _next(steps, stop)) is not None and not isinstance(step, _Ended):
                pass


def _next(steps: "SimpleQueue[T | _Ended]", stop: Cancel) -> "T | _Ended | None":
    """The next step, None where there was none in time after the stop."""
    stopped: float | None = None
    while True:
        try:
            return steps.get(timeout=GLANCE)
        except Empty:
            if stop.requested:
                stopped = stopped or time.monotonic()
                if time.monotonic() - stopped > PATIENCE:
                    return None
