"""What a question asks of a table, computed over all of its rows and told in lines.

A line says exactly what was computed and over how many rows. Where a question may mean several
things each is computed: a model picks one of several true lines better than it adds up a table.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ctxchat.context.tables.asks import Ask, ask_of
from ctxchat.context.tables.condition import Reading, selected
from ctxchat.context.tables.conditions import readings
from ctxchat.context.tables.measures import Measure, measured, shown
from ctxchat.context.tables.question import asked, matches, mentions
from ctxchat.context.tables.table import Kind, Table

MOST_FACTS = 12
_GROUPS_SHOWN = 12
_OF_COLUMN = (Measure.SUM, Measure.MEAN, Measure.MEDIAN, Measure.MIN, Measure.MAX)

Rows = Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Fact:
    """A line, and the texts of the cells it is told of, each behind its column's index."""

    line: str
    cells: tuple[tuple[int, str], ...] = ()


def facts_for(table: Table, text: str) -> tuple[tuple[Fact, ...], list[Reading]]:
    """The facts a question asks for, and the readings of which rows it is about."""
    question = asked(text)
    mentioned = mentions(question, table.columns)
    found = matches(question, table, mentioned)
    ways = readings(question, table, found, mentioned)
    ask = ask_of(text, question, table, mentioned)
    facts: dict[str, Fact] = {}
    for reading in ways or [()]:
        for fact in _facts(table, ask, reading):
            facts.setdefault(fact.line, fact)
    return tuple(facts.values())[:MOST_FACTS], ways


def _facts(table: Table, ask: Ask, reading: Reading) -> Iterator[Fact]:
    rows = selected(table, reading)
    yield from _grouped(table, ask, reading, rows)
    for measure in _OF_COLUMN:
        for column in ask.columns if measure in ask.measures else ():
            yield from _of_column(table, ask, measure, column, reading, rows)
        for column in ask.dates if measure in ask.measures else ():
            yield from _of_dates(table, measure, column, reading, rows)
    counted = {Measure.COUNT, Measure.DISTINCT} & set(ask.measures)
    if Measure.COUNT in counted or (reading and not ask.columns) or (reading and not ask.measures):
        some = f"rows{_where(reading)}: {len(rows):,} of {len(table.rows):,}"
        yield Fact(f"count of {some if reading else f'all rows: {len(rows):,}'}")
    for column in ask.named if counted else ():
        yield from _distinct(table, column, reading, rows, Measure.DISTINCT in counted)


def _of_column(
    table: Table, ask: Ask, measure: Measure, index: int, reading: Reading, rows: Rows
) -> Iterator[Fact]:
    column = table.columns[index]
    counts = _counts(table, index, reading, rows)
    size = sum(count for text, count in counts.items() if text in column.numbers)
    over = _over(table, len(rows), len(rows) - size)
    if measure in (Measure.MIN, Measure.MAX) and size:
        texts = sorted(filter(column.numbers.__contains__, counts), key=column.numbers.__getitem__)
        texts = texts[: ask.top] if measure is Measure.MIN else texts[: -ask.top - 1 : -1]
        repeated = [text for text in texts for _ in range(counts[text])][: ask.top]
        what = (
            f"{len(repeated)} {'lowest' if measure is Measure.MIN else 'highest'}"
            if ask.top > 1
            else f"{measure} of"
        )
        cells = tuple((index, text) for text in repeated)
        yield Fact(f"{what} {column.name}{_where(reading)}: {'; '.join(repeated)} ({over})", cells)
    elif size:
        value, rounded = measured(measure, counts, column.numbers)
        text = column.unit.around(shown(value))
        yield Fact(f"{measure} of {column.name}{_where(reading)}: {text} ({'rounded, ' * rounded}{over})")


def _of_dates(table: Table, measure: Measure, index: int, reading: Reading, rows: Rows) -> Iterator[Fact]:
    dates = [text for text in _counts(table, index, reading, rows) if text[:1].isdigit()]
    if not dates or measure not in (Measure.MIN, Measure.MAX):
        return
    word, text = ("earliest", min(dates)) if measure is Measure.MIN else ("latest", max(dates))
    missing = sum(not row[index][:1].isdigit() for row in rows)
    over = _over(table, len(rows), missing)
    yield Fact(f"{word} {table.columns[index].name}{_where(reading)}: {text} ({over})", ((index, text),))


def _distinct(table: Table, index: int, reading: Reading, rows: Rows, asked: bool) -> Iterator[Fact]:
    column = table.columns[index]
    if len(column.counts) <= 2 and not asked:
        told = "; ".join(
            f"{_name(value)}: {count:,}"
            for value, count in _counts(table, index, reading, rows).most_common()
        )
        yield Fact(f"count of rows by {column.name}{_where(reading)}: {told} ({_over(table, len(rows), 0)})")
    elif column.kind is not Kind.NUMBER or len(column.counts) < len(table.rows):
        values = len([text for text in _counts(table, index, reading, rows) if text])
        yield Fact(
            f"distinct values of {column.name}{_where(reading)}: {values:,} ({_over(table, len(rows), 0)})"
        )


def _grouped(table: Table, ask: Ask, reading: Reading, rows: Rows) -> Iterator[Fact]:
    up = Measure.MIN in ask.measures and Measure.MAX not in ask.measures
    measures = [measure for measure in _OF_COLUMN if measure in ask.measures]
    for group in ask.groups:
        if group in {condition.column for condition in reading if not condition.excluded}:
            continue
        for index in ask.columns if measures else ():
            parts = _parts(rows, group, index)
            for measure in measures:
                yield from _group_line(table, measure, index, group, parts, reading, up)
        if rows and (Measure.COUNT in ask.measures or not measures or not ask.columns):
            sizes = Counter(row[group] for row in rows)
            ranked = sorted(sizes.items(), key=lambda item: item[1] if up else -item[1])
            told = [(name, f"{size:,}") for name, size in ranked]
            yield Fact(_listed(table, "count of rows", group, told, reading, len(rows), up))


def _parts(rows: Rows, group: int, index: int) -> dict[str, Counter[str]]:
    parts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (name, text), count in Counter((row[group], row[index]) for row in rows).items():
        parts[name][text] = count
    return parts


def _group_line(
    table: Table,
    measure: Measure,
    index: int,
    group: int,
    parts: dict[str, Counter[str]],
    reading: Reading,
    up: bool,
) -> Iterator[Fact]:
    column = table.columns[index]
    values: dict[str, tuple[Decimal, bool]] = {}
    for name, counts in parts.items():
        if any(text in column.numbers for text in counts):
            values[name] = measured(measure, counts, column.numbers)
    size = sum(parts[name][text] for name in values for text in parts[name] if text in column.numbers)
    ranked = sorted(values.items(), key=lambda item: item[1][0], reverse=not up)
    told = [(name, column.unit.around(shown(value))) for name, (value, _) in ranked]
    rounded = " (rounded)" if any(rounded for _, rounded in values.values()) else ""
    if told:
        yield Fact(_listed(table, f"{measure} of {column.name}{rounded}", group, told, reading, size, up))


def _listed(
    table: Table,
    what: str,
    group: int,
    told: Sequence[tuple[str, str]],
    reading: Reading,
    size: int,
    up: bool,
) -> str:
    shown_groups = "; ".join(f"{_name(name)}: {value}" for name, value in told[:_GROUPS_SHOWN])
    number = f"{min(len(told), _GROUPS_SHOWN):,} of {len(told):,} groups"
    order = f"{'lowest' if up else 'highest'} first, {number}, {_over(table, size, 0)}"
    return f"{what} by {table.columns[group].name}{_where(reading)} ({order}): {shown_groups}"


def _name(text: str) -> str:
    return " ".join(text.split())[:60] or "(missing)"


def _counts(table: Table, index: int, reading: Reading, rows: Rows) -> Counter[str]:
    return Counter(row[index] for row in rows) if reading else table.columns[index].counts


def _where(reading: Reading) -> str:
    return f" where {' and '.join(condition.said for condition in reading)}" if reading else ""


def _over(table: Table, rows: int, without: int) -> str:
    share = "all" if rows - without == len(table.rows) else f"{rows - without:,} of"
    over = f"{share} {len(table.rows):,} rows"
    return f"over {over}{f'; {without:,} more have none' if without else ''}"
