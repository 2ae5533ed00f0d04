"""What a pull of a small model came to."""

from collections.abc import Callable

from ctxchat.domain.pulling import PullEvent, PullFinished, PullPlanned

REPO = "maker/Small-GGUF"
GB = 10**9
Pull = Callable[..., list[PullEvent]]


def finished(events: list[PullEvent]) -> PullFinished:
    assert isinstance(events[-1], PullFinished)
    return events[-1]


def planned(events: list[PullEvent]) -> PullPlanned:
    return next(event for event in events if isinstance(event, PullPlanned))
