"""The window by source: a stacked bar, and its legend."""

from collections.abc import Iterator

from textual.content import Content

from ctxchat.display import amounts
from ctxchat.tui.meters.colours import DRAFT, FREE, RESERVE, Look
from ctxchat.tui.meters.drawing import ERROR, QUIET, STRONG, bar, flowed, spread, swatch
from ctxchat.tui.meters.figures import Draft
from ctxchat.tui.meters.meter import Meter, View
from ctxchat.tui.meters.shares import Shares, window_shares

_PERCENT_COLUMNS = 6


class BudgetBar(Meter):
    """How much of the window each source takes. Where there is room, sources that take nothing have a
    row too, so that all rows keep their places."""

    TITLE = "Context"

    def drawn(self, view: View, width: int) -> list[Content]:
        shares = window_shares(view.figures, view.draft)
        if shares is None:
            return [Content.styled("known with the first question"[:width], QUIET)]
        prompt = view.figures.prompt
        exact = prompt is None or prompt.exact
        rows = [
            _row(source, shares, width, view.look, exact=exact or source in {FREE, RESERVE})
            for source, tokens in shares.parts.items()
            if tokens or source in {RESERVE, FREE} or (view.roomy and source != DRAFT)
        ]
        lines = [bar(shares.parts, width, view.look), *rows]
        if shares.over > 0:
            lines.append(Content.styled(f"{shares.over:,} tokens too many"[:width], ERROR))
        return [*lines, *(_draft_lines(view.draft, width) if view.draft else [])]


def _row(source: str, shares: Shares, width: int, look: Look, *, exact: bool) -> Content:
    tokens = shares.parts[source]
    percent = _percent(tokens, shares.window)
    weight = STRONG if source == FREE else "" if tokens else QUIET
    name = Content.assemble(swatch(source, look), (f" {source}", weight if source != FREE else ""))
    count = Content.assemble(
        (amounts.estimate(tokens, exact=exact), weight), (percent.rjust(_PERCENT_COLUMNS + 1), QUIET)
    )
    return spread(name, count, width)


def _percent(tokens: int, window: int) -> str:
    """Rounded, and of what is there never zero."""
    if not window or not tokens:
        return amounts.percent(tokens, window)
    return f"{round(100 * tokens / window)} %" if tokens * 200 >= window else "<1 %"


def _draft_lines(draft: Draft, width: int) -> Iterator[Content]:
    """What the words in the composer would cost, in as few lines as the width allows."""
    total = amounts.estimate(draft.total, exact=draft.exact)
    told = [Content.assemble(("draft ", QUIET), (f"+{draft.tokens:,}", STRONG), (f" → {total}", ""))]
    if draft.new is not None:
        told.append(Content.assemble((f"{draft.new:,}", STRONG), (" new", QUIET)))
    if draft.seconds is not None:
        told.append(Content.styled(f"~{amounts.seconds(draft.seconds)}", ""))
    if not draft.fits:
        told.append(Content.styled("does not fit", ERROR))
    yield from flowed(told, width, " · ")
