"""What all measurements share: a line while they run, and an image of what came of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from ctxchat.cli.terminal.screen import this_screen
from ctxchat.cli.terminal.status import ERASE_LINE
from ctxchat.display.images import svg
from ctxchat.display.plots import Plot
from ctxchat.domain.errors import StoreError

Step = TypeVar("Step")


def followed(steps: Iterator[Step], line_of: Callable[[Step], str | None], *, quiet: bool) -> Iterator[Step]:
    """The steps, with a line on a terminal that says how far it has come; None leaves it as it is."""
    screen = this_screen()
    shown = screen.has_status and not quiet
    for step in steps:
        line = line_of(step)
        if shown and line:
            screen.err.write(ERASE_LINE + screen.dim(line[: screen.columns - 3]))
            screen.err.flush()
        yield step
    if shown:
        screen.err.write(ERASE_LINE)
        screen.err.flush()


def write_image(path: Path, plot: Plot) -> None:
    """Write a plot as SVG. Raises StoreError."""
    try:
        path.write_text(svg(plot), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
