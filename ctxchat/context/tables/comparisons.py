"""Conditions that compare: `price over 100`, `between 5 and 10`, `since March 2024`."""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import islice, product
from typing import Any

from ctxchat.context.tables.condition import Condition, Reading, told
from ctxchat.context.tables.measurable import MOST_COLUMNS, counts_for, measurable
from ctxchat.context.tables.question import Mention, Question
from ctxchat.context.tables.table import Kind, Table

_RELATIONS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    ">": (">", operator.gt),
    "<": ("<", operator.lt),
    "≥": ("≥", operator.ge),
    "≤": ("≤", operator.le),
    "=": ("=", operator.eq),
}
_NUMBER_WORDS = {
    ">": (
        "over",
        "above",
        "more than",
        "greater than",
        "higher than",
        "larger than",
        "exceeding",
        "exceeds",
        "older than",
        ">",
    ),
    "<": ("under", "below", "less than", "fewer than", "lower than", "smaller than", "younger than", "<"),
    "≥": ("at least", "or more", ">=", "≥", "no less than"),
    "≤": ("at most", "up to", "<=", "≤", "no more than"),
}
_DATE_WORDS = {">": ("after",), "<": ("before",), "≥": ("since", "from"), "≤": ("until", "till", "through")}
_AMOUNT = re.compile(r"[$€£¥₹]?(\d[\d,]*(?:\.\d+)?)(k?)[$€£%]?", re.IGNORECASE)
_PERIOD = re.compile(r"(?:19|20)\d{2}(?:-\d{2}){0,2}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(rf"({'|'.join(_MONTHS)})[a-z]*", re.IGNORECASE)


def compared(question: Question, table: Table, named: Sequence[Mention]) -> list[Reading]:
    """The comparisons of the question, one reading for each column that may be meant."""
    ways = filter(None, (*_numbers(question, table, named), *_periods(question, table, named)))
    return [tuple(way) for way in islice(product(*ways), MOST_COLUMNS)]


def _numbers(question: Question, table: Table, named: Sequence[Mention]) -> Iterator[list[Condition]]:
    for index, token in enumerate(question.tokens):
        amount = _amount(token)
        relation = amount is not None and _relation(question, index, _NUMBER_WORDS)
        if amount is not None and relation:
            yield _beyond(table, _meant(question, table, named, index), relation, amount)
        elif amount is not None and _between(question, index):
            upper = _amount(question.tokens[index + 2])
            columns = _meant(question, table, named, index)
            yield _beyond(table, columns, "≥", amount)
            yield _beyond(table, columns, "≤", upper or amount)


def _meant(question: Question, table: Table, named: Sequence[Mention], place: int) -> list[int]:
    """The column of numbers named last before, else the one named behind, else those that the sign
    of a currency or other words hint at, else those there are."""
    numbers = [m for m in named if table.columns[m.column].kind is Kind.NUMBER and counts_for(table, m)]
    before = [m for m in numbers if m.span[1] <= place]
    nearest = before[-1] if before else numbers[0] if numbers else None
    if nearest:
        return [m.column for m in numbers if m.span == nearest.span]
    sign = question.tokens[place][0]
    signed = [n for n, column in enumerate(table.columns) if sign in column.unit.around("")]
    return signed[:MOST_COLUMNS] or measurable(table, " ".join(question.tokens))


def _beyond(table: Table, columns: Sequence[int], relation: str, amount: Decimal) -> list[Condition]:
    holds = _RELATIONS[relation][1]
    return [
        told(
            table,
            n,
            relation,
            [t for t, v in table.columns[n].numbers.items() if holds(v, amount)],
            f"{amount:f}",
        )
        for n in columns
    ]


def _periods(question: Question, table: Table, named: Sequence[Mention]) -> Iterator[list[Condition]]:
    """A year, a month or a day, of the date columns there are or that are named."""
    dates = [n for n, column in enumerate(table.columns) if column.kind is Kind.DATE and column.ordered]
    dates = [m.column for m in named if m.column in dates] or dates
    for index, token in enumerate(question.tokens):
        if dates and _PERIOD.fullmatch(token):
            month = _MONTH.fullmatch(question.tokens[index - 1]) if index and len(token) == 4 else None
            begin = f"{token}-{_MONTHS.index(month.group(1).lower()) + 1:02}" if month else token
            relation = _relation(question, index - (month is not None), _DATE_WORDS) or "="
            yield [_within(table, n, relation, begin) for n in dict.fromkeys(dates)]


def _within(table: Table, column: int, relation: str, begin: str) -> Condition:
    holds, size = _RELATIONS[relation][1], len(begin)
    texts = [text for text in table.columns[column].counts if text[:1].isdigit()]
    values = [text for text in texts if holds(text.strip()[:size], begin)]
    return told(table, column, "in" if relation == "=" else relation, values, begin)


def _relation(question: Question, place: int, words: dict[str, tuple[str, ...]]) -> str:
    before = " ".join(question.tokens[max(0, place - 2) : place]).casefold()
    behind = " ".join(question.tokens[place + 1 : place + 3]).casefold()
    for relation in ("≥", "≤", ">", "<"):
        for phrase in words[relation]:
            if f" {before}".endswith(f" {phrase}") or (
                phrase.startswith("or ") and behind.startswith(phrase)
            ):
                return relation
    return ""


def _between(question: Question, index: int) -> bool:
    tokens = [token.casefold() for token in question.tokens]
    joined = tokens[index + 1 : index + 2] in (["and"], ["to"]) and index + 2 < len(tokens)
    return (
        index > 0
        and tokens[index - 1] in ("between", "from")
        and joined
        and _amount(tokens[index + 2]) is not None
    )


def _amount(token: str) -> Decimal | None:
    match = _AMOUNT.fullmatch(token)
    if not match:
        return None
    return Decimal(match.group(1).replace(",", "")) * (1_000 if match.group(2) else 1)
