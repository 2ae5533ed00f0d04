"""Keys and commands, and what the meters mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ctxchat.display.ledger import aligned
from ctxchat.display.plain_text import one_line
from ctxchat.tui.screens.text import TextScreen

METERS = (
    (
        "The bar shows what the next prompt is made of, part by part, with what is kept free for the "
        "answer and what is left of the window."
    ),
    (
        "KV counts the cells that hold what the model has read: what is reused costs nothing, what is new "
        "is read before the first word, and what came from disk was read in an earlier run."
    ),
    (
        "Predicted times come from what this machine has taken so far; a dash is not known yet, and ~ "
        "stands before what is estimated."
    ),
)


@dataclass(frozen=True, slots=True)
class HelpRow:
    """A key or a command, and what it does."""

    name: str
    does: str


class HelpScreen(TextScreen):
    """Made from the tables of commands and keys, so that it says what there is."""

    def __init__(self, commands: Sequence[HelpRow], keys: Sequence[HelpRow]) -> None:
        super().__init__("Help", "\n".join(_lines(commands, keys)))


def _lines(commands: Sequence[HelpRow], keys: Sequence[HelpRow]) -> Iterator[str]:
    width = max((len(row.name) for row in (*commands, *keys)), default=0)
    for title, rows in (("Keys", keys), ("Commands", commands)):
        if rows:
            yield title
            yield from aligned((f"  {one_line(row.name):<{width}}", one_line(row.does)) for row in rows)
            yield ""
    yield "Meters"
    yield from (f"  {sentence}" for sentence in METERS)
