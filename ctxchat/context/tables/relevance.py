"""Which rows of a table stand near a question."""

import math
import re
from collections.abc import Iterable, Sequence
from itertools import islice

from ctxchat.context.tables.condition import Reading
from ctxchat.context.tables.question import asked, singular
from ctxchat.context.tables.table import Table
from ctxchat.domain.words import STOP_WORDS

_CELL = "\x1f"
_MOST_TERMS = 40
_OTHERS = 5
"""Rows that only show what the table looks like, beside those near the question."""
_WHOLE_CELL, _CONDITION, _ANSWER = 2.0, 1.5, 1_000.0
"""What a term weighs more that fills its cell, a condition that holds, and the row of a fact."""


def ranked(table: Table, text: str, ways: Sequence[Reading], cells: Iterable[tuple[int, str]]) -> list[int]:
    """The rows by their index, nearest first: those a fact was taken from, then those that hold the
    question's rarest words and numbers, then a few from the first on, or all where none is near.
    `cells` are a column's index and the text of a cell."""
    scores = [0.0] * len(table.rows)
    _add_terms(scores, [_folded(row) for row in table.rows], _terms(text))
    for reading in ways:
        holding = [
            n for n, row in enumerate(table.rows) if all(condition.holds(row) for condition in reading)
        ]
        _add(scores, holding, _CONDITION)
    for column, value in cells:
        holding = [n for n, row in enumerate(table.rows) if row[column] == value and scores[n] < _ANSWER]
        if holding:
            scores[_best(holding, scores)] += _ANSWER
    near = sorted((n for n, score in enumerate(scores) if score > 0), key=lambda n: -scores[n])
    others = (n for n, score in enumerate(scores) if score <= 0)
    return [*near, *islice(others, _OTHERS if near else None)]


def _best(rows: Sequence[int], scores: Sequence[float]) -> int:
    return max(rows, key=lambda n: (scores[n], -n))


def _folded(row: Sequence[str]) -> str:
    return f"{_CELL}{_CELL.join(row).casefold()}{_CELL}"


def _terms(text: str) -> list[str]:
    """The question's tokens and their parts that are no stop words."""
    question = asked(text)
    terms: dict[str, None] = {}
    for token in question.tokens:
        folded = token.casefold()
        bare = folded.lstrip("$€£#").replace(",", "") if any(map(str.isdigit, folded)) else folded
        parts = re.findall(r"\w+", folded)
        terms.update(dict.fromkeys((folded, bare, *(part for part in parts if len(part) > 1))))
    return [term for term in terms if any(map(str.isalnum, term)) and term not in STOP_WORDS][:_MOST_TERMS]


def _add_terms(scores: list[float], texts: Sequence[str], terms: Sequence[str]) -> None:
    for term in terms:
        stem = re.escape(singular(term))
        plural = r"(?:e?s)?" if term.isalpha() else ""
        pattern = re.compile(rf"(?<!\w){stem}{plural}(?!\w)")
        plain = singular(term)
        rows = [n for n, text in enumerate(texts) if plain in text and pattern.search(text)]
        _add(scores, rows, 1.0)
        whole = f"{_CELL}{term}{_CELL}"
        _add(scores, [n for n in rows if whole in texts[n]], _WHOLE_CELL)


def _add(scores: list[float], rows: Sequence[int], weight: float) -> None:
    """The rarer what they share, the more each gets."""
    rarity = math.log(1 + (len(scores) - len(rows) + 0.5) / (len(rows) + 0.5))
    for row in rows:
        scores[row] += weight * rarity
