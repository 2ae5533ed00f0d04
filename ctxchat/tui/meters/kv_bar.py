"""The cells of the KV cache: those that were reused, those that are new, and those that are free."""

from textwrap import wrap

from textual.content import Content

from ctxchat.display import amounts
from ctxchat.display.plain_text import one_line
from ctxchat.domain.receipt import KvCost
from ctxchat.tui.meters.colours import ANSWER, DISK, NEW, REUSED, Look
from ctxchat.tui.meters.drawing import QUIET, STRONG, bar, flowed, spread, swatch
from ctxchat.tui.meters.figures import Figures
from ctxchat.tui.meters.meter import Meter, View
from ctxchat.tui.meters.shares import Shares, cell_shares

MISS_LINES = 2


class KvBar(Meter):
    """What the cache holds, in cells and bytes, and where reuse ended."""

    TITLE = "KV cache"

    def drawn(self, view: View, width: int) -> list[Content]:
        shares, kv = cell_shares(view.figures), view.figures.kv
        if shares is None or kv is None:
            return [Content.assemble(("KV ", QUIET), ("0", STRONG), (" cells", QUIET))]
        lines = [bar(shares.parts, width, view.look), *_held_lines(view.figures, kv, shares, width)]
        return [*lines, *_parts(shares, width, view.look), *_miss(kv, width)]


def held(figures: Figures) -> str:
    """The cells held now: estimated while texts come, which are nearly one a token."""
    cells = figures.cells or 0
    return amounts.estimate(cells, exact=not (figures.foretold and figures.progress.texts))


def _held_lines(figures: Figures, kv: KvCost, shares: Shares, width: int) -> list[Content]:
    """Cells and their bytes: in one line, without the word for them where it does not fit."""
    size = Content(amounts.size(kv.size(figures.cells or 0)))
    used = Content.assemble("KV ", (held(figures), STRONG), (f" of {shares.window:,}", QUIET))
    for told in (used + Content.styled(" cells", QUIET), used):
        if told.cell_length + 1 + size.cell_length <= width:
            return [spread(told, size, width)]
    return flowed([used, size], width)


def _parts(shares: Shares, width: int, look: Look) -> list[Content]:
    """A legend of two columns, of one under another where these are too narrow."""
    cells = [_part(source, shares.parts[source], look) for source in (REUSED, DISK, NEW, ANSWER)]
    column = width // 2 - 1
    if any(part.cell_length >= column for part in cells[::2]) or width - column < cells[1].cell_length:
        return flowed(cells, width)
    return [
        left.pad_right(column - left.cell_length) + right
        for left, right in zip(cells[::2], cells[1::2], strict=True)
    ]


def _part(source: str, cells: int, look: Look) -> Content:
    return Content.assemble(
        swatch(source, look), (f" {cells:,}", "" if cells else QUIET), (f" {source}", QUIET)
    )


def _miss(kv: KvCost, width: int) -> list[Content]:
    if not kv.miss:
        return []
    lines = wrap(one_line(kv.miss), width, max_lines=MISS_LINES, placeholder=" …")
    return [Content.styled(line, QUIET) for line in lines]
