"""Which rows a question is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ctxchat.context.tables.table import Table


@dataclass(frozen=True, slots=True)
class Condition:
    """That the texts of a column are among these `values` (`excluded`: are not). `said` tells it."""

    column: int
    values: frozenset[str]
    excluded: bool
    said: str

    def holds(self, row: Sequence[str]) -> bool:
        return (row[self.column] in self.values) is not self.excluded


Reading = tuple[Condition, ...]
"""Conditions that hold together."""


def told(table: Table, column: int, relation: str, values: Iterable[str], said: str) -> Condition:
    """A condition that says how its column relates to what was said: `price > 100`."""
    words = f"{table.columns[column].name} {relation} {' '.join(said.split())}"
    return Condition(column, frozenset(values), relation == "≠", words)


def selected(table: Table, reading: Reading) -> Sequence[tuple[str, ...]]:
    """The rows where all of it holds."""
    if not reading:
        return table.rows
    return [row for row in table.rows if all(condition.holds(row) for condition in reading)]
