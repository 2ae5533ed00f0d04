"""A table as it is sent: what it holds, what was computed for the question, and rows near it."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ctxchat.context.tables.facts import Fact, facts_for
from ctxchat.context.tables.profile import heading, names, profile
from ctxchat.context.tables.relevance import ranked
from ctxchat.context.tables.table import Table

Count = Callable[[str], int]

_SAMPLE_ROWS = 20
_LONGEST_CELL = 400
"""Characters of a cell that are sent where not every row fits."""
_TRIES = 12


@dataclass(frozen=True, slots=True)
class TableBlock:
    """`text` is what is sent: `shown` of so many `rows`, and `facts`, lines computed over all."""

    text: str
    shown: int
    rows: int
    facts: tuple[str, ...]


def table_block(table: Table, question: str, room_tokens: int, count: Count) -> TableBlock:
    """The table within the room. What comes first is the same for every question: the table's name,
    its columns and their profile, which may take half the room. Then facts, half of what is left,
    then all rows, or those nearest to the question in their order. Nothing fits: an empty text.
    """
    head = _head(table, room_tokens, count)
    if head is None:
        return TableBlock("", 0, len(table.rows), ())
    facts, ways = facts_for(table, question)
    told, head = _with_facts(head, facts, room_tokens, count)
    everything = range(len(table.rows))
    rate = _rate(table, count)
    if _estimate(table, rate) <= room_tokens:
        text = head + _rows(table, everything)
        if count(text) <= room_tokens:
            return TableBlock(text, len(table.rows), len(table.rows), told)
    order = ranked(table, question, ways, [cell for fact in facts for cell in fact.cells])
    text, shown = _fitted(table, head, order, room_tokens, count, rate)
    return TableBlock(text, shown, len(table.rows), told)


def _head(table: Table, room_tokens: int, count: Count) -> str | None:
    first = heading(table)
    for columns in (profile(table), names(table), names(table, 20), names(table, 5)):
        if count(first + columns) <= room_tokens // 2:
            return first + columns
    return first if count(first) <= room_tokens else None


def _with_facts(
    head: str, facts: Sequence[Fact], room_tokens: int, count: Count
) -> tuple[tuple[str, ...], str]:
    """The facts that fit, and the head with them."""
    lines = list(dict.fromkeys(fact.line for fact in facts))
    taken = count(head)
    while lines:
        text = f"{head}Computed over all rows:\n" + "".join(f"- {line}\n" for line in lines)
        if count(text) <= (room_tokens + taken) // 2:
            return tuple(lines), text
        lines.pop()
    return (), head


def _rate(table: Table, count: Count) -> float:
    """Tokens a character of its rows, from some of all over the table."""
    step = max(1, len(table.rows) // _SAMPLE_ROWS)
    sample = _encoded(_shortened(row) for row in table.rows[::step][:_SAMPLE_ROWS])
    return count(sample) / len(sample) if sample else 1.0


def _estimate(table: Table, rate: float) -> float:
    return rate * 0.8 * sum(sum(map(len, row)) + len(row) for row in table.rows)


def _fitted(
    table: Table, head: str, order: Sequence[int], room_tokens: int, count: Count, rate: float
) -> tuple[str, int]:
    """The most rows in that order that fit, found from an estimate by counting a few times."""
    sizes: list[float] = []
    total = 0.0
    for index in order:
        total += rate * len(_encoded([_shortened(table.rows[index])]))
        sizes.append(total)
        if total > 1.5 * room_tokens:
            break
    best, low, high = (head, 0), 0, len(sizes) + 1
    fixed = count(head + _rows(table, []))
    if fixed > room_tokens:
        return best
    guess = sum(size <= room_tokens - fixed for size in sizes)
    for _ in range(_TRIES):
        guess = min(max(guess, low + 1), high - 1)
        if high - low <= 1:
            break
        text = head + _rows(table, sorted(order[:guess]))
        tokens = count(text)
        if tokens <= room_tokens:
            best, low = (text, guess), guess
            if tokens >= 0.96 * room_tokens:
                break
        else:
            high = guess
        aim = (room_tokens - fixed) / max(1, tokens - fixed) * guess
        guess = round(aim) if low < round(aim) < high else (low + high) // 2
    return best if best[1] else (head + _rows(table, []), 0)


def _rows(table: Table, indices: Sequence[int]) -> str:
    some = len(indices) < len(table.rows)
    rows = [_shortened(table.rows[n]) if some else table.rows[n] for n in indices]
    said = f"Showing {len(rows):,} of {len(table.rows):,} rows:\n"
    return said + (_encoded([[column.name for column in table.columns], *rows]) if rows else "")


def _shortened(row: Sequence[str]) -> list[str]:
    return [
        cell
        if len(cell) <= _LONGEST_CELL
        else f"{cell[:_LONGEST_CELL]}… ({len(cell) - _LONGEST_CELL:,} more)"
        for cell in row
    ]


def _encoded(rows: Iterable[Sequence[str]]) -> str:
    """CSV, with quotes only where they are needed."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()
