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
        Binding("pagedown", "page(1)", "Down", key_display="PgDn"),
        Binding("pageup", "page(-1)", "Up", key_display="PgUp"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def parts(self) -> Iterator[Widget]:
        yield VerticalScroll(Static(Text(clean(self._text)), id="text", markup=False))

    def on_mount(self) -> None:
        self.query_one("#panel").border_title = Content(one_line(self._title))
        self.query_one(VerticalScroll).focus()

    def action_page(self, by: int) -> None:
        scroll = self.query_one(VerticalScroll)
        (scroll.scroll_page_down if by > 0 else scroll.scroll_page_up)(animate=False)
