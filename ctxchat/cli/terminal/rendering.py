"""Lines for a terminal, made by rich."""

import io

from rich.cells import chop_cells
from rich.console import Console
from rich.markdown import Markdown


def rendered(markdown: str, columns: int, *, colour: bool) -> list[str]:
    """Markdown as lines of at most `columns` cells, with the escape sequences of its styles."""
    sheet = io.StringIO()
    console = Console(
        file=sheet, force_terminal=True, width=columns, no_color=not colour, legacy_windows=False
    )
    console.print(Markdown(markdown, code_theme="ansi_dark", hyperlinks=False))
    return [line.rstrip() for line in sheet.getvalue().rstrip("\n").split("\n")]


def folded(text: str, columns: int) -> list[str]:
    """Plain text as lines of at most `columns` cells, tabs as spaces."""
    lines = text.rstrip("\n").split("\n")
    return [part for line in lines for part in chop_cells(line.expandtabs(), columns) or [""]]
