"""A clock that only the model moves, and a gate that holds the model."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from ctxchat.domain.events import EngineEvent, Prefilled, ReasoningGenerated, TextGenerated

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
SLICE_SECONDS, TOKEN_SECONDS = 0.08, 0.025


class StillClock:
    """It is always noon. Seconds go by with the model's events, to which it listens; those on the screen
    (`on_screen`) only where a test sets them."""

    def __init__(self) -> None:
        self.on_screen = 0.0
        self._seconds = 0.0

    def now(self) -> datetime:
        return NOON

    def seconds(self) -> float:
        return self._seconds

    def __call__(self, event: EngineEvent) -> None:
        match event:
            case Prefilled(done, _) if done:
                self._seconds += SLICE_SECONDS
            case TextGenerated() | ReasoningGenerated():
                self._seconds += TOKEN_SECONDS
            case _:
                pass


class Gate:
    """Holds the model at an event until it is opened."""

    def __init__(self, at: Callable[[EngineEvent], bool]) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self._at = at

    def __call__(self, event: EngineEvent) -> None:
        if self._at(event) and not self.reached.is_set():
            self.reached.set()
            self.opened.wait(30)
