"""Adding notes as it is seen: a bar while it lasts, on a terminal, and a line at the end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from ctxchat.display.plain_text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ctxchat.domain.events import Warned
    from ctxchat.domain.passage import Changes
    from ctxchat.service.adding import Progress


def follow(events: "Iterable[Progress | Warned | Changes]") -> "Changes":
    """Run an addition to its end, and tell what it tells on stderr."""
    from ctxchat.domain.events import Warned
    from ctxchat.domain.passage import Changes
    from ctxchat.service.adding import Progress

    changes = Changes()
    warnings: list[str] = []
    with _bar() as draw:
        for event in events:
            match event:
                case Progress(done, total):
                    draw(done, total)
                case Warned(message):
                    warnings.append(message)
                case Changes():
                    changes = event
    for warning in warnings:
        typer.echo(f"ctxchat: {clean(warning)}", err=True)
    return changes


@contextmanager
def _bar() -> "Iterator[Callable[[int, int], None]]":
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("notes"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("notes", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
