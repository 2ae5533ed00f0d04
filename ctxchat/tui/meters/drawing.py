"""Lines of a meter, as content that Textual styles: bars, rows of a table, and words that flow."""

from collections.abc import Iterable, Mapping

from textual.content import Content

from ctxchat.tui.meters.cells import apportioned
from ctxchat.tui.meters.colours import FREE_STYLE, Look

QUIET = "$foreground 60%"
STRONG = "bold"
ERROR = "$text-error"


def bar(parts: Mapping[str, int], width: int, look: Look) -> Content:
    """Parts of a whole side by side, each in its colour and glyph."""
    cells = apportioned(list(parts.values()), width)
    return Content.assemble(
        *(
            (look.glyph(source) * count, look.colour(source))
            for source, count in zip(parts, cells, strict=True)
            if count
        )
    )


def progress_bar(done: int, total: int, width: int, style: str) -> Content:
    """A thin line, filled as far as it is done."""
    filled = min(width, done * width // total) if total else 0
    return Content.assemble(("━" * filled, style), ("─" * (width - filled), FREE_STYLE))


def swatch(source: str, look: Look) -> Content:
    """What stands for a source in a legend."""
    return Content.styled(look.glyph(source), look.colour(source))


def spread(left: Content, right: Content, width: int) -> Content:
    """One line: `left` at its beginning and `right` at its end, where there is room for it."""
    gap = width - left.cell_length - right.cell_length
    if gap < 1 or not right:
        return left.truncate(width, ellipsis=True)
    return left + Content(" " * gap) + right


def flowed(items: Iterable[Content], width: int, between: str = "  ") -> list[Content]:
    """Items one behind the other, in as many lines as they need."""
    lines: list[Content] = []
    for item in items:
        if lines and lines[-1].cell_length + len(between) + item.cell_length <= width:
            lines[-1] = lines[-1] + Content(between) + item
        else:
            lines.append(item.truncate(width, ellipsis=True))
    return lines
