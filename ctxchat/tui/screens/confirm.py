"""A question that is answered yes or no."""

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from ctxchat.display.plain_text import clean
from ctxchat.tui.screens.panel import PanelScreen


class ConfirmScreen(PanelScreen[bool]):
    """True for yes. Escape says no, and so does Enter until one moves: nothing is lost by a slip."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "No"),
        Binding("y", "answer(True)", "Yes"),
        Binding("n", "answer(False)", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(self, question: str, yes: str = "Yes", no: str = "No") -> None:
        super().__init__(classes="-small")
        self._question, self._yes, self._no = question, yes, no

    def parts(self) -> Iterator[Widget]:
        yield Static(Text(clean(self._question)), id="question", markup=False)
        yield Horizontal(
            Button(Content(self._no), id="no", compact=True),
            Button(Content(self._yes), id="yes", variant="error", compact=True),
            id="buttons",
        )

    def on_mount(self) -> None:
        self.query_one("#no").focus()

    def result(self) -> bool:
        return False

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
