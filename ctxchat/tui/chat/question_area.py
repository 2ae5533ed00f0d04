"""The text of a question, many lines of it, and the keys that the composer looks at first."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from ctxchat.display.plain_text import clean
from ctxchat.tui.first_frame import PLACEHOLDER

LARGE_TEXT = 2_000
"""A text that is longer than this is attached when it is pasted."""
MOST_HELD = 20_000
"""A text that is longer than this is attached from wherever it came: to wrap its lines takes seconds."""


class QuestionArea(TextArea):
    """The text of the question: Enter sends it, Up on its first line goes back to earlier ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+enter,ctrl+j", "newline", "Newline", key_display="^j"),
        Binding("ctrl+g", "screen.editor", "Editor"),
        Binding("ctrl+u", "clear", "Clear", show=False),
    ]

    class Typed(Message):
        """A key that the composer looks at first: enter, tab, up, down or escape."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Pasted(Message):
        """A text too large to stand in the question."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(
            id="composer",
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            placeholder=PLACEHOLDER,
        )
        self.completing = False

    async def _on_key(self, event: events.Key) -> None:
        if self._belongs_to_composer(event.key):
            event.stop()
            event.prevent_default()
            self.post_message(self.Typed(event.key))
            return
        await super()._on_key(event)

    def _belongs_to_composer(self, key: str) -> bool:
        if key == "enter" or (self.completing and key in ("tab", "up", "down", "escape")):
            return True
        at, lines = self.cursor_location, self.navigator
        return (key == "up" and lines.is_first_wrapped_line(at)) or (
            key == "down" and lines.is_last_wrapped_line(at)
        )

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = written(event.text)
        if len(text) > LARGE_TEXT:
            self.post_message(self.Pasted(text))
        elif text:
            self.insert(text)

    def action_delete_left(self) -> None:
        if self.text:
            super().action_delete_left()
        else:
            self.post_message(self.Typed("backspace"))

    def action_newline(self) -> None:
        self.insert("\n")

    def action_clear(self) -> None:
        self.text = ""


def written(text: str) -> str:
    """A text from elsewhere as if it were typed: a terminal pastes a carriage return for each newline."""
    return clean(text.replace("\r\n", "\n").replace("\r", "\n"))
