"""A choice among a few values, moved with the arrows."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

_NAME, _SHOWN = 16, 16
"""Columns of the name, and of the value."""


class Dial(Widget):
    """One of `values`, each with what is shown for it; left and right move it."""

    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "Less", key_display="←"),
        Binding("right", "turn(1)", "More", key_display="→"),
        Binding("home", "to(0)", show=False),
        Binding("end", "to(-1)", show=False),
    ]

    class Turned(Message):
        """A dial has another value."""

    def __init__(self, name: str, values: Sequence[int], shown: Sequence[str], at: int) -> None:
        super().__init__()
        self._label, self._values, self._shown, self._at = name, tuple(values), tuple(shown), at

    @property
    def value(self) -> int:
        return self._values[self._at]

    @property
    def at_end(self) -> bool:
        """Whether it is as far up as it goes."""
        return self._at == len(self._values) - 1

    def render(self) -> Text:
        width = max(4, self.size.width - _NAME - _SHOWN - 2)
        last = max(1, len(self._values) - 1)
        knob = round(self._at * (width - 1) / last)
        line = Text(no_wrap=True)
        line.append(f"{self._label:<{_NAME}}")
        line.append("━" * knob)
        line.append("●", style="bold")
        line.append("─" * (width - knob - 1), style="dim")
        line.append(f"  {self._shown[self._at]:>{_SHOWN}}")
        return line

    def action_turn(self, by: int) -> None:
        self._go(self._at + by)

    def action_to(self, place: int) -> None:
        self._go(place % len(self._values))

    def on_click(self, event: Click) -> None:
        width = max(4, self.size.width - _NAME - _SHOWN - 2)
        if _NAME <= event.x < _NAME + width:
            self._go(round((event.x - _NAME) * (len(self._values) - 1) / (width - 1)))

    def _go(self, place: int) -> None:
        place = min(len(self._values) - 1, max(0, place))
        if place != self._at:
            self._at = place
            self.refresh()
            self.post_message(self.Turned())
