"""What went wrong, and the ways on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from ctxchat.display.plain_text import clean
from ctxchat.tui.screens.panel import PanelScreen


@dataclass(frozen=True, slots=True)
class WayOn:
    """Something that can be done next: `name` is for the program, `label` for the person."""

    name: str
    label: str


class FailureScreen(PanelScreen[WayOn | None]):
    """The way on that was chosen, None where it was closed."""

    HEADING = "That did not work"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, message: str, choices: Sequence[WayOn]) -> None:
        super().__init__(classes="-small -failure")
        self._title, self._message, self._choices = title, message, tuple(choices)

    def parts(self) -> Iterator[Widget]:
        yield Static(Text(clean(self._title), style="bold"), id="question", markup=False)
        yield VerticalScroll(Static(Text(clean(self._message)), id="message", markup=False), can_focus=False)
        yield Horizontal(
            *(
                Button(Content(clean(choice.label)), id=f"way-{place}", compact=True)
                for place, choice in enumerate(self._choices)
            ),
            id="buttons",
        )

    def on_mount(self) -> None:
        if self._choices:
            self.query_one("#way-0").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        place = int((event.button.id or "").removeprefix("way-"))
        self.dismiss(self._choices[place])
