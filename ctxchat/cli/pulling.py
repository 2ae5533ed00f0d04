"""A model on its way, as it is seen on stderr: a bar on a terminal, else a line now and then."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ctxchat.cli.failures import say
from ctxchat.display import amounts
from ctxchat.domain.pulling import PullDelayed, PullEvent, PullFinished, PullPlanned, PullProgressed

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = 10
"""Lines off a terminal, at the most."""


def follow(events: Iterable[PullEvent]) -> PullFinished:
    """Fetch to the end, and tell of it."""
    finished = None
    with _shown() as show:
        for event in events:
            match event:
                case PullPlanned(name, why, total, missing):
                    rest = "" if missing == total else f", {amounts.size(missing)} of it missing here"
                    say(f"{name}, {amounts.size(total)}{rest}: {why}")
                case PullProgressed(done, total):
                    show(done, total)
                case PullDelayed(reason, seconds):
                    say(f"{reason}; going on in {amounts.seconds(seconds)}")
                case PullFinished():
                    finished = event
    assert finished is not None
    return finished


@contextmanager
def _shown() -> "Iterator[Callable[[int, int | None], None]]":
    if not sys.stderr.isatty():
        yield _Lines().show
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("pulling", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


class _Lines:
    """Progress where no line can be written over."""

    def __init__(self) -> None:
        self._step = 0

    def show(self, done: int, total: int | None) -> None:
        step = STEPS * done // total if total else 0
        if step > self._step:
            self._step = step
            say(f"{amounts.percent(done, total or 0)}, {amounts.size(done)} of {amounts.size(total)}")
