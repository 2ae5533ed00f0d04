"""What is attached to a question: a chip for each, with its tokens."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from ctxchat.context.attachments import Attachment
from ctxchat.display import amounts
from ctxchat.display.plain_text import clean, shortened

_LABEL_COLUMNS = 30
_MOST_SHOWN = 12


class Chips(Static):
    """Texts and tables that ride with the question. Of each its tokens are shown, and its bytes as long
    as no model has counted them."""

    def __init__(self) -> None:
        super().__init__("", classes="chips")
        self.texts: tuple[Attachment, ...] = ()
        self.tables: tuple[Attachment, ...] = ()
        self._sizes: dict[int, str] = {}
        self.display = False

    @property
    def all(self) -> tuple[Attachment, ...]:
        return (*self.texts, *self.tables)

    def put(self, texts: Sequence[Attachment], tables: Sequence[Attachment]) -> None:
        """Show these in the place of those that are there."""
        counted = {id(one): self._sizes[id(one)] for one in (*texts, *tables) if id(one) in self._sizes}
        self.texts, self.tables, self._sizes = tuple(texts), tuple(tables), counted
        self._draw()

    def count(self, tokens: Sequence[int], *, exact: bool) -> None:
        """Show how many tokens each has, in their order."""
        if len(tokens) == len(self.all):
            self._sizes = {
                id(one): f"{amounts.estimate(number, exact=exact)} tokens"
                for one, number in zip(self.all, tokens, strict=True)
            }
            self._draw()

    def _draw(self) -> None:
        chips = [
            f" ▤ {shortened(one.label, _LABEL_COLUMNS)} {self._sizes.get(id(one)) or _bytes(one)} "
            for one in self.all[:_MOST_SHOWN]
        ]
        more = len(self.all) - len(chips)
        words = [*chips, f" and {more:,} more "] if more else chips
        self.update(Content(clean(" ".join(words) + "  Backspace takes the last off" if chips else "")))
        self.display = bool(chips)


def _bytes(attachment: Attachment) -> str:
    return amounts.size(len(attachment.text.encode("utf-8", "replace")))
