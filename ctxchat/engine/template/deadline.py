"""A limit on the time that code of others may run in this thread."""

import sys
from collections.abc import Callable
from time import thread_time
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

TEMPLATE_FILE = "<chat template>"
"""The name chat templates are compiled under."""


class OutOfTimeError(Exception):
    """The code ran longer than it may."""


def within(seconds: float, filename: str, function: Callable[[], T]) -> T:
    """What `function` returns. Raises OutOfTimeError in whatever it runs once that has taken
    `seconds` of this thread's own time.

    Looked at on every call, and on every line of code compiled from `filename`: a trace function
    ends a loop from within, which a timer in another thread cannot. A trace function that was
    there before (a debugger, coverage) is put back, and nothing of ours is called on the way to
    that: a context manager would be, and could run out of time itself.
    """
    end = thread_time() + seconds

    def on_line(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if thread_time() > end:
            raise OutOfTimeError
        return on_line

    def on_call(frame: FrameType, event: str, argument: Any) -> Any:
        on_line(frame, event, argument)
        return on_line if frame.f_code.co_filename == filename else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        return function()
    finally:
        sys.settrace(before)
