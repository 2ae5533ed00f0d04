"""What a turn cost, in two columns that fold within their own."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ctxchat.display import amounts
from ctxchat.display.ledger import spent
from ctxchat.display.plain_text import clean, one_line
from ctxchat.domain.receipt import Citation, FilterStep, Receipt


def costs(receipt: Receipt) -> RenderableType:
    """Tokens, time and bytes; then what filters saved, and what was recalled."""
    return Group(*_parts(receipt))


def _parts(receipt: Receipt) -> Iterator[RenderableType]:
    if receipt.error:
        yield Text(f"it ended in an error: {one_line(receipt.error.message)}\n", style="bold")
    yield _pairs(spent(receipt))
    if receipt.filters:
        yield Text("\nfilters, tokens before and after", style="bold")
        yield _pairs(map(_filtered, receipt.filters))
    if receipt.notes:
        yield Text("\nrecalled", style="bold")
        yield _pairs(map(_recalled, receipt.notes))


def _pairs(rows: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for word, said in rows:
        grid.add_row(Text(clean(word)), Text(clean(said)))
    return grid


def _filtered(step: FilterStep) -> tuple[str, str]:
    before, after = (amounts.estimate(number, exact=step.exact) for number in (step.before, step.after))
    return step.rule, f"{before} → {after}"


def _recalled(note: Citation) -> tuple[str, str]:
    score = amounts.DASH if note.score is None else f"{note.score:.2f}"
    source = one_line(note.source or amounts.DASH)
    return note.label, f"{note.tokens:,} tokens, score {score}, {source}{', cited' if note.cited else ''}"
