"""Columns that measure something, where a question does not name one."""

import re

from ctxchat.context.tables.question import Mention, words_of
from ctxchat.context.tables.table import Kind, Table

MOST_COLUMNS = 3
"""With more to choose from nothing is guessed."""

_NAMING = frozenset(("id", "year", "zip", "code", "number", "no", "nr", "index", "phone", "key"))
_HINTS = {
    frozenset(("price", "cost", "amount", "fee")): re.compile(
        r"\b(?:cheap|expensive|pric|cost)", re.IGNORECASE
    ),
    frozenset(("age",)): re.compile(r"\b(?:old(?:er|est)|young(?:er|est))\b", re.IGNORECASE),
    frozenset(("salary", "wage", "income", "pay")): re.compile(r"\b(?:earn|paid)", re.IGNORECASE),
}


def names_things(name: str) -> bool:
    """Whether the numbers of a column of this name are identifiers, years and the like."""
    return not _NAMING.isdisjoint(words_of(name)[-1:])


def counts_for(table: Table, mention: Mention) -> bool:
    """Whether a mention may mean its column's numbers: `employee` alone does not mean `employee_id`."""
    return mention.whole or not names_things(table.columns[mention.column].name)


def measurable(table: Table, text: str) -> list[int]:
    """The columns of numbers the words hint at, else all that measure something, if they are few."""
    numbers = [n for n, column in enumerate(table.columns) if column.kind is Kind.NUMBER]
    numbers = [n for n in numbers if not names_things(table.columns[n].name)]
    hinted = hinted_columns(table, text)
    return hinted or (numbers if len(numbers) <= MOST_COLUMNS else [])


def hinted_columns(table: Table, text: str) -> list[int]:
    wanted = {name for names, pattern in _HINTS.items() if pattern.search(text) for name in names}
    return [
        n
        for n, column in enumerate(table.columns)
        if column.kind is Kind.NUMBER and not wanted.isdisjoint(words_of(column.name))
    ][:MOST_COLUMNS]
