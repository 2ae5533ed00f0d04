"""The cells of the KV cache: those that were reused, those that are new, and those that are free."""

from collections.abc import Iterator
from textwrap import wrap

from textual.content import Content

from ctxchat.display import amounts
from ctxchat.display.plain_text import one_line
from ctxchat.domain.receipt import KvCost
from ctxchat.tui.meters.colours import FREE, Look
from ctxchat.tui.meters.drawing import QUIET, STRONG, bar, flowed, swatch
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
        lines = [bar(shares.parts, width, view.look), *flowed(_held(view.figures, kv, shares), width, " · ")]
        return [*lines, *flowed(_parts(shares, view.look), width), *_miss(kv, width)]


def held(figures: Figures) -> str:
    """The cells held now: estimated while texts come, which are nearly one a token."""
    cells = figures.cells or 0
    return amounts.estimate(cells, exact=not (figures.foretold and figures.progress.texts))


def _held(figures: Figures, kv: KvCost, shares: Shares) -> Iterator[Content]:
    cells = (held(figures), STRONG)
    yield Content.assemble(("KV ", ""), cells, (f" of {shares.window:,} cells", QUIET))
    yield Content(amounts.size((figures.cells or 0) * kv.bytes_per_token))


def _parts(shares: Shares, look: Look) -> Iterator[Content]:
    for source, cells in shares.parts.items():
        if cells and source != FREE:
            yield Content.assemble(swatch(source, look), f" {cells:,} ", (source, QUIET))


def _miss(kv: KvCost, width: int) -> list[Content]:
    if not kv.miss:
        return []
    lines = wrap(one_line(kv.miss), width, max_lines=MISS_LINES, placeholder=" …")
    return [Content.styled(line, QUIET) for line in lines]
