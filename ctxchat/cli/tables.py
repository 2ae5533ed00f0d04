"""Rows under a header: a table as wide as the terminal on one, aligned text off it."""

import sys
from collections.abc import Sequence

from ctxchat.cli.plain_text import one_line

_GAP = "  "
_LONGEST_NAME = 40


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

    table = Table(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0), header_style="bold")
    for number, name in enumerate(header[:-1]):
        # What a row is named by, in full: it is what other commands ask for.
        named = max((len(row[0]) for row in rows), default=0) if number == 0 else 0
        table.add_column(name, no_wrap=True, min_width=min(named, _LONGEST_NAME))
    table.add_column(header[-1], no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
