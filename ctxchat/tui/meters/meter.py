"""What every meter is: a widget that draws figures as lines, and again only where they changed."""

from dataclasses import dataclass

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from ctxchat.service.draft_cost import Draft
from ctxchat.tui.meters.colours import PLAIN, Look
from ctxchat.tui.meters.figures import Figures


@dataclass(frozen=True, slots=True)
class View:
    """What is to be shown; where it is `roomy`, a meter may take more lines."""

    figures: Figures
    draft: Draft | None = None
    roomy: bool = False
    look: Look = PLAIN


class Meter(Widget):
    """A box of lines, which a subclass draws."""

    DEFAULT_CSS = """
    Meter {
        height: auto;
        border-top: solid $foreground 25%;
        border-title-color: $foreground 60%;
    }
    """

    TITLE = ""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = f" {self.TITLE} "
        self._view = View(Figures())
        self._lines: list[Content] = []

    @property
    def rows(self) -> int:
        """Rows that it takes, its title among them."""
        return 1 + len(self._lines)

    def show(self, view: View) -> None:
        self._view = view
        former, self._lines = self._lines, self._drawn(self.content_size.width)
        if len(former) != len(self._lines):
            self.refresh(layout=True)
        elif not all(map(Content.is_same, former, self._lines)):
            self.refresh()

    def drawn(self, view: View, width: int) -> list[Content]:
        """The lines, none longer than `width` cells."""
        raise NotImplementedError

    def render(self) -> RenderResult:
        return Content("\n").join(self._drawn(self.content_size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self._drawn(width))

    def _drawn(self, width: int) -> list[Content]:
        return self.drawn(self._view, width) if width > 0 else []
