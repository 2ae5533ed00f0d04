"""All meters in one row, for terminals that are too narrow for the panel."""

from textual.content import Content

from ctxchat.display import amounts
from ctxchat.service.draft_cost import Draft
from ctxchat.tui.meters.drawing import QUIET, STRONG, bar
from ctxchat.tui.meters.figures import Figures, Stage
from ctxchat.tui.meters.kv_bar import held
from ctxchat.tui.meters.meter import Meter, View
from ctxchat.tui.meters.shares import window_shares

_LEAST_BAR = 8


class CompactRow(Meter):
    """The bar of the window, the cells in use, and what the turn is at."""

    DEFAULT_CSS = """
    CompactRow { height: 1; border: none; padding: 0 1; }
    """

    def drawn(self, view: View, width: int) -> list[Content]:
        figures = view.figures
        told = _used(figures)
        more = Content.styled(_doing(view), QUIET)
        if more.cell_length and told.cell_length + more.cell_length + _LEAST_BAR + 4 <= width:
            told = told + Content("  ") + more
        shares = window_shares(figures, view.draft)
        room = width - told.cell_length - 1
        if shares is None or room < _LEAST_BAR:
            return [told.truncate(width, ellipsis=True)]
        return [bar(shares.parts, room, view.look) + Content(" ") + told]


def _used(figures: Figures) -> Content:
    kv = figures.kv
    capacity = f"/{kv.capacity:,}" if kv and kv.capacity is not None else ""
    return Content.assemble("KV ", (held(figures), STRONG), (f"{capacity} tokens", QUIET))


def _doing(view: View) -> str:
    """What a turn is at, or what the draft would cost."""
    figures, now = view.figures, view.figures.progress
    match figures.stage:
        case Stage.READING if now.total:
            left = figures.seconds_left
            percent = f"reading {amounts.percent(now.done, now.total)}"
            return percent if left is None else f"{percent}, {amounts.seconds(left)} left"
        case Stage.ANSWERING:
            return amounts.rate(figures.speed.decode)
        case Stage.LOADING:
            return f"loading {amounts.percent(now.done, now.total)}"
        case Stage.FOLDING:
            return figures.stage.value
        case Stage.MEASURING:
            return _draft(view.draft) or figures.stage.value
        case _:
            return _draft(view.draft)


def _draft(draft: Draft | None) -> str:
    if draft is None:
        return ""
    return f"draft {amounts.estimate(draft.tokens, exact=draft.exact)}" if draft.fits else "does not fit"
