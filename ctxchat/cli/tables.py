"""Rows under a header: a table as wide as the terminal on one, aligned text off it."""

import sys
from collections.abc import Sequence

from ctxchat.display.plain_text import one_line

_GAP = "  "
_LAST_SEEN, _NARROWEST = 20, 4


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows to stdout, each cell on one line; the last column is cut only on a terminal."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(header, cells)
    else:
        sys.stdout.write(_aligned([list(header), *cells]))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _print_rich(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0), header_style="bold")
    widths = _widths([header, *rows], console.width)
    left = max(_NARROWEST, console.width - sum(widths) - len(_GAP) * len(widths))
    for name, width in zip(header, [*widths, left], strict=True):
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _widths(rows: Sequence[Sequence[str]], columns: int) -> list[int]:
    """Of all columns but the last, so that some of that is seen. The first is never cut: what a row is named
    by is what other commands ask for."""
    from rich.cells import cell_len

    *widths, last = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    room = columns - min(last, _LAST_SEEN) - len(_GAP) * len(widths)
    while sum(widths) > room and max(widths[1:], default=0) > _NARROWEST:
        widest = max(range(1, len(widths)), key=widths.__getitem__)
        widths[widest] -= 1
    return widths
