"""An application of Textual with one line of text, up to its first frame."""

import os

from textual.app import App, ComposeResult
from textual.widgets import Static


class EmptyApp(App[None]):
    """Composes one `Static`."""

    def compose(self) -> ComposeResult:
        yield Static("empty")

    def on_mount(self) -> None:
        self.call_after_refresh(os._exit, 0)


EmptyApp().run()
