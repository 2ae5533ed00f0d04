"""What a table holds, in lines that do not depend on any question."""

from ctxchat.context.tables.measures import Measure, measured, shown
from ctxchat.context.tables.table import Column, Kind, Table

_FREQUENT = 4
_LONGEST_VALUE = 40
_NAMES = 60


def heading(table: Table) -> str:
    """A line that names the table, and its remarks."""
    size = f"{len(table.rows):,} rows, {len(table.columns):,} columns"
    return "\n".join((f"Table {_one_line(table.label)}: {size}", *table.remarks)) + "\n"


def profile(table: Table) -> str:
    """A line for each column: its kind, and its range or its most frequent values."""
    return "".join(f"- {_column(column, len(table.rows))}\n" for column in table.columns)


def names(table: Table, most: int = _NAMES) -> str:
    """A line with the columns' names and kinds alone."""
    named = [f"{column.name} ({column.written})" for column in table.columns[:most]]
    left = len(table.columns) - len(named)
    return f"Columns: {', '.join(named)}{f', and {left:,} more' if left else ''}\n"


def _column(column: Column, rows: int) -> str:
    parts = [f"{column.name}: {column.written}"]
    if column.kind is Kind.NUMBER:
        parts += _range(column)
        others = rows - column.missing - sum(column.counts[text] for text in column.numbers)
        parts += [f"{others:,} not a number"] if others else []
    elif column.kind is Kind.DATE and column.ordered:
        dates = sorted(text for text in column.counts if text[:1].isdigit())
        parts.append(f"{dates[0]} to {dates[-1]}")
    else:
        parts.append(_frequent(column))
    parts += [f"{column.missing:,} missing"] if column.missing else []
    return ", ".join(parts)


def _range(column: Column) -> list[str]:
    values = column.numbers.values()
    mean, rounded = measured(Measure.MEAN, column.counts, column.numbers)
    return [f"{min(values):f} to {max(values):f}", f"mean {shown(mean)}{' (rounded)' if rounded else ''}"]


def _frequent(column: Column) -> str:
    values = {text: count for text, count in column.counts.items() if text}
    if not values:
        return "empty"
    ranked = sorted(values.items(), key=lambda item: -item[1])[:_FREQUENT]
    if ranked[0][1] == 1:
        return f"{len(values):,} distinct, such as {_short(ranked[0][0])}"
    often = ", ".join(f"{_short(text)} ({count:,})" for text, count in ranked)
    return f"{len(values):,} distinct: {often}{', …' if len(values) > len(ranked) else ''}"


def _short(text: str) -> str:
    line = _one_line(text)
    return line if len(line) <= _LONGEST_VALUE else line[: _LONGEST_VALUE - 1] + "…"


def _one_line(text: str) -> str:
    return " ".join(text.split())
