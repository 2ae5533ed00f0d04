"""One line of text."""

from collections.abc import Callable, Iterator
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from ctxchat.display.plain_text import clean, one_line
from ctxchat.tui.screens.panel import PanelScreen

Check = Callable[[str], str | None]
"""What is wrong with a value, None where nothing is."""


class PromptScreen(PanelScreen[str | None]):
    """What was typed, None where it was closed. A value that does not pass `check` is not taken, and the
    person is told why."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Cancel")]

    def __init__(self, title: str, value: str = "", hint: str = "", check: Check | None = None) -> None:
        super().__init__(classes="-small")
        self._title, self._value, self._hint, self._check = title, value, hint, check

    def parts(self) -> Iterator[Widget]:
        yield Static(Text(clean(self._title)), id="question", markup=False)
        yield Input(one_line(self._value), id="line", select_on_focus=False)

    def on_mount(self) -> None:
        self.say(self._hint)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        wrong = self._check(event.value) if self._check else None
        if wrong:
            self.say(wrong, wrong=True)
        else:
            self.dismiss(event.value)
