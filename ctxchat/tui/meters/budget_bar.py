"""The window by source: a stacked bar, and its legend."""

from textual.content import Content

from ctxchat.display import amounts
from ctxchat.domain.conversation import Section
from ctxchat.service.draft_cost import Draft
from ctxchat.tui.meters.colours import DRAFT, FREE, RESERVE, Look
from ctxchat.tui.meters.drawing import ERROR, QUIET, STRONG, bar, spread, swatch
from ctxchat.tui.meters.meter import Meter, View
from ctxchat.tui.meters.shares import Shares, window_shares

_ALWAYS = {Section.QUESTION, RESERVE, FREE}
"""Sources that have a row even where they take nothing: a question is none while it is a draft."""
_PERCENT_COLUMNS = 7
_PERCENT_FROM = 25


class BudgetBar(Meter):
    """How much of the window each source takes. Where there is room, sources that take nothing have a
    row too, so that all rows keep their places."""

    TITLE = "Context"

    def drawn(self, view: View, width: int) -> list[Content]:
        shares = window_shares(view.figures, view.draft)
        if shares is None:
            return [Content.styled("known with the first question"[:width], QUIET)]
        rows = [
            _row(source, shares, width, view.look)
            for source, tokens in shares.parts.items()
            if source != DRAFT and (tokens or view.roomy or source in _ALWAYS)
        ]
        lines = [bar(shares.parts, width, view.look), *rows]
        if shares.over > 0:
            lines.append(Content.styled(f"{shares.over:,} tokens too many"[:width], ERROR))
        return [*lines, *_draft_lines(view.draft, width, view.look)]


def _row(source: str, shares: Shares, width: int, look: Look) -> Content:
    tokens = shares.parts[source]
    percent = _percent(tokens, shares.window)
    weight = STRONG if source == FREE else "" if tokens else QUIET
    name = Content.assemble(swatch(source, look), (f" {source}", weight if source != FREE else ""))
    exact = shares.exact or source == RESERVE
    count = Content.styled(amounts.estimate(tokens, exact=exact), weight)
    share = Content.styled(percent.rjust(_PERCENT_COLUMNS), QUIET)
    return spread(name, count + share if width >= _PERCENT_FROM else count, width)


def _percent(tokens: int, window: int) -> str:
    """Rounded, and of what is there never zero."""
    if not window or not tokens:
        return amounts.percent(tokens, window)
    return f"{round(100 * tokens / window)} %" if tokens * 200 >= window else "<1 %"


def _draft_lines(draft: Draft | None, width: int, look: Look) -> list[Content]:
    """What the words in the composer would cost: one line where it is wide enough."""
    if draft is None:
        return [spread(swatch(DRAFT, look) + Content.styled(" draft", QUIET), Content(amounts.DASH), width)]
    added, total = (amounts.estimate(number, exact=draft.exact) for number in (draft.tokens, draft.total))
    sent = Content.assemble(swatch(DRAFT, look), (f" +{added}", STRONG), f" → {total}")
    cost = _cost(draft) if draft.fits else Content.styled("does not fit", ERROR)
    if sent.cell_length + 1 + cost.cell_length <= width:
        return [spread(sent, cost, width)]
    return [line.truncate(width, ellipsis=True) for line in (sent, cost)]


def _cost(draft: Draft) -> Content:
    foretold = draft.predicted.prefill
    seconds = "" if foretold is None else f" ~{amounts.seconds(foretold)}"
    return Content.assemble((f"{draft.evaluated:,}", STRONG), (" new", QUIET), seconds)
