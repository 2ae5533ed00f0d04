"""What stands on the screen while the chat is imported: the same words, in two widgets."""

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Key, Paste
from textual.screen import Screen
from textual.widgets import Static

WELCOME = """\
Ask something below. What it will cost stands in the meters before you send it.

/ begins a command   @ attaches a file   Ctrl-P shows all commands"""
PLACEHOLDER = "Message…  (Enter to send, / for commands, @ for a file)"


class FirstFrame(Screen[None]):
    """The welcome, and where the question will be written. What is typed meanwhile is kept in `typed`."""

    CSS = """
    FirstFrame { background: $background; }
    FirstFrame .welcome { height: 1fr; padding: 2 3; color: $text-muted; }
    FirstFrame .question {
        height: 3; margin: 0 0 1 0; padding: 0 1;
        border: round $accent; background: $surface; color: $text-muted;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.typed: list[Key | Paste] = []

    def compose(self) -> ComposeResult:
        yield Static(Content(WELCOME), classes="welcome")
        yield Static(Content(PLACEHOLDER), classes="question")

    def on_key(self, event: Key) -> None:
        self.typed.append(event)

    def on_paste(self, event: Paste) -> None:
        self.typed.append(event)
