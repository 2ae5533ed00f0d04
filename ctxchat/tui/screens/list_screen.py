"""A screen with rows: typing filters them, arrows move, Enter chooses."""

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from ctxchat.display.plain_text import clean
from ctxchat.tui.screens.panel import Closed, PanelScreen
from ctxchat.tui.screens.rows import Column, Rows

_DETAIL = 600
"""Characters of a detail: more than its lines hold."""


class ListScreen(PanelScreen[Closed]):
    """The focus stays in the filter, so that letters always filter; what is done with a row has a key
    with Ctrl."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open", priority=True),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]
    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    TYPE_HERE = "type to filter"

    def __init__(self) -> None:
        super().__init__()
        self.rows = Rows(self.COLUMNS)
        self.line = Input(placeholder=self.TYPE_HERE, id="filter", select_on_focus=False)
        self._below = Static(id="detail", classes="-empty", markup=False)

    def parts(self) -> Iterator[Widget]:
        yield from (self.line, self.rows, self._below)

    @property
    def typed(self) -> str:
        return self.line.value

    def filtered(self) -> None:
        """Show the rows that what is typed leaves."""

    def detail(self, key: str) -> str:  # noqa: ARG002 - for those that say something
        """What is said below the rows of the one the cursor is on."""
        return ""

    def choose(self, key: str) -> None:
        """Enter on a row."""

    def action_choose(self) -> None:
        if (key := self.rows.current) is not None:
            self.choose(key)

    def action_move(self, by: int) -> None:
        self.rows.move_cursor(row=self.rows.cursor_row + by)

    def action_page(self, by: int) -> None:
        rows = self.rows
        rows.move_cursor(row=rows.cursor_row + by * max(1, rows.size.height - 2))

    def show_detail(self) -> None:
        key = self.rows.current
        text = clean(self.detail(key)).strip()[:_DETAIL] if key is not None else ""
        self._below.set_class(not text, "-empty")
        self._below.update(Text(text))

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self.filtered()
        self.show_detail()

    @on(Rows.RowHighlighted)
    def _highlighted(self) -> None:
        self.show_detail()

    @on(Rows.RowSelected)
    def _selected(self) -> None:
        self.action_choose()


def holds_words(text: str, typed: str) -> bool:
    """Whether a text holds every word that was typed, in any case."""
    lowered = text.lower()
    return all(word in lowered for word in typed.lower().split())
