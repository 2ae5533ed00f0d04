"""A limit on the time that code of others may run in this thread."""

import sys
from collections.abc import Callable
from time import thread_time
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

TEMPLATE_FILE = "<chat template>"
"""The name chat templates are compiled under."""

TEMPLATE_MODULES = ("jinja2.", __package__)
"""Modules that run on behalf of a template."""


class OutOfTimeError(Exception):
    """The code ran longer than it may."""


def within(seconds: float, filename: str, function: Callable[[], T]) -> T:
    """What `function` returns. Raises OutOfTimeError in whatever it runs once that has taken
    `seconds` of this thread's own time.

    Looked at on every call inside Jinja, and on every line of code compiled from `filename`: a
    trace function ends a loop from within, which a timer in another thread cannot. Not on other
    calls: what a collected object does at its end swallows what is raised there. A trace function
    that was there before (a debugger, coverage) is put back, and nothing of ours is called on the
    way to that: a context manager would be, and could run out of time itself.
    """
    end = thread_time() + seconds

    def on_line(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if thread_time() > end:
            raise OutOfTimeError
        return on_line

    def on_call(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename == filename:
            return on_line(frame, event, argument)
        if str(frame.f_globals.get("__name__")).startswith(TEMPLATE_MODULES):
            on_line(frame, event, argument)
        return None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        return function()
    finally:
        sys.settrace(before)
