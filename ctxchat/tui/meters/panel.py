"""Where the meters stand."""

from textual.widgets import Static

from ctxchat.domain.events import TurnEvent


class MetersPanel(Static):
    """Shows the cost of the turn."""

    def __init__(self) -> None:
        super().__init__("", id="meters")

    def show(self, event: TurnEvent) -> None:
        """Take an event of the turn."""

    def show_draft(self, draft: object) -> None:
        """Take what a draft will cost."""
