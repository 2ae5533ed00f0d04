"""Rows under columns that fit the width of the panel."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.events import Resize
from textual.widgets import DataTable

from ctxchat.display.plain_text import one_line

_WANTED, _LEAST = 20, 12
"""Characters the column that takes the rest should have, or others give way, and must have."""

_PADDING = 2

_LONGEST = 1000
"""Characters of a cell that are looked at."""


@dataclass(frozen=True, slots=True)
class Column:
    """`width` None takes what the others leave. Where there is too little room, columns that are not
    `needed` are left out, the last first. Of a text that is too long the end is kept where `path` is set."""

    title: str
    width: int | None = None
    right: bool = False
    needed: bool = False
    path: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A key that names it, and a text for each column."""

    key: str
    cells: tuple[str, ...]
    dim: bool = False


class Rows(DataTable[Text]):
    """A table whose cursor is moved by the screen: the focus stays where one types."""

    can_focus = False

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(id="rows", cursor_type="row", cursor_foreground_priority="renderable")
        self._all = tuple(columns)
        self._rows: Sequence[Row] = ()
        self._drawn_at = 0

    @property
    def current(self) -> str | None:
        """The key of the row the cursor is on."""
        at = self.cursor_row
        return self._rows[at].key if 0 <= at < len(self._rows) else None

    @property
    def keys(self) -> list[str]:
        return [row.key for row in self._rows]

    def arrange_columns(self, columns: Sequence[Column]) -> None:
        """Take other columns, and no rows yet."""
        self._all, self._rows = tuple(columns), ()
        self._draw()

    def show(self, rows: Sequence[Row], at: str | None = None) -> None:
        """Put these rows in the place of those that were there. The cursor stands on `at`, else on the
        first."""
        self._rows = rows
        self._draw()
        keys = self.keys
        if at in keys:
            self.move_cursor(row=keys.index(at))

    def on_resize(self, event: Resize) -> None:
        if event.size.width != self._drawn_at:
            at = self.cursor_row
            self._draw()
            self.move_cursor(row=at)

    def _draw(self) -> None:
        self._drawn_at = self.size.width
        shown = self._fitting(self._drawn_at)
        self.clear(columns=True)
        for place, width in shown:
            column = self._all[place]
            self.add_column(Text(column.title, justify="right" if column.right else "left"), width=width)
        for row in self._rows:
            self.add_row(*(self._cell(row, place, width) for place, width in shown))

    def _cell(self, row: Row, place: int, width: int) -> Text:
        column = self._all[place]
        line = one_line(row.cells[place][:_LONGEST])
        if column.path and cell_len(line) > width:
            line = "…" + set_cell_size(line[::-1], width - 1)[::-1].lstrip()
        cell = Text(line, "dim" if row.dim else "", justify="right" if column.right else "left", no_wrap=True)
        cell.truncate(width, overflow="ellipsis")
        return cell

    def _fitting(self, width: int) -> list[tuple[int, int]]:
        """The columns that are shown, and their widths."""
        places = list(range(len(self._all)))
        while True:
            fixed = sum((self._all[place].width or 0) + _PADDING for place in places)
            optional = [place for place in places if not self._all[place].needed]
            if width - fixed - 1 >= _WANTED or not optional:
                break
            places.remove(optional[-1])
        rest = max(_LEAST, width - fixed - 1)
        return [(place, self._all[place].width or rest) for place in places]
