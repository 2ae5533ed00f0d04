"""A text in full, to scroll through."""

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ctxchat.display.plain_text import clean, one_line
from ctxchat.tui.screens.panel import PanelScreen


class TextScreen(PanelScreen[None]):
    """Any text; arrows and pages scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q", "close", show=False),
        Binding("pagedown", "page(1)", "Down", key_display="PgDn", priority=True),
        Binding("pageup", "page(-1)", "Up", key_display="PgUp", priority=True),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text
        self._scroll = VerticalScroll(Static(Text(clean(text)), id="text", markup=False))

    def parts(self) -> Iterator[Widget]:
        yield self._scroll

    def on_mount(self) -> None:
        self.query_one("#panel").border_title = Content(one_line(self._title))
        self._scroll.focus()

    def action_page(self, by: int) -> None:
        (self._scroll.scroll_page_down if by > 0 else self._scroll.scroll_page_up)(animate=False)
