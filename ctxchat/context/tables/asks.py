"""What a question about a table wants computed, and of which columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ctxchat.context.tables.comparisons import measured_columns
from ctxchat.context.tables.measures import Measure
from ctxchat.context.tables.question import Mention, Question, words_of
from ctxchat.context.tables.table import Kind, Table

_WORDS = {
    Measure.COUNT: r"how\ many|number\ of|counts?|how\ often",
    Measure.DISTINCT: r"distinct|different|unique",
    Measure.SUM: r"totals?|sum|altogether|combined|overall|how\ much",
    Measure.MEAN: r"average|mean|avg|on\ average|typical(?:ly)?",
    Measure.MEDIAN: r"median",
    Measure.MIN: r"minimum|min|lowest|smallest|least|fewest|cheapest|earliest|oldest|shortest"
    r"|lightest|youngest|worst|first",
    Measure.MAX: r"maximum|max|highest|largest|biggest|greatest|most|top|priciest|latest|newest|longest"
    r"|heaviest|tallest|best|last|recent",
}
_PATTERNS = {measure: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for measure, words in _WORDS.items()}
_HINTS = {
    "price cost amount fee": re.compile(r"\b(?:cheap|expensive|pric|cost)", re.IGNORECASE),
    "age": re.compile(r"\b(?:oldest|youngest)\b", re.IGNORECASE),
}
_DATED = re.compile(r"\b(?:earliest|latest|newest|oldest|recent|first|last)\b", re.IGNORECASE)
_GROUPS = frozenset(("per", "by", "each", "every"))
_WHICH = frozenset(("which", "what", "whose"))
_MOST_COLUMNS = 3
_EXTREMES = (Measure.MIN, Measure.MAX)


@dataclass(frozen=True, slots=True)
class Ask:
    """`measures` to take of the `columns` and of the `dates` (the least and the greatest), `groups`
    to take them in, and `named`: columns whose distinct values may be what is counted."""

    measures: tuple[Measure, ...]
    columns: tuple[int, ...]
    dates: tuple[int, ...]
    groups: tuple[int, ...]
    named: tuple[int, ...]


def ask_of(text: str, question: Question, table: Table, mentioned: Sequence[Mention]) -> Ask:
    measures = tuple(measure for measure, pattern in _PATTERNS.items() if pattern.search(text))
    groups = _groups(question, table, mentioned, measures)
    whole = [m.column for m in mentioned if m.whole and m.column not in groups]
    part = [m.column for m in mentioned if not m.whole and m.column not in groups]
    dates = _of(table, whole, Kind.DATE) or _of(table, part, Kind.DATE)
    if not dates and _DATED.search(text):
        dates = _of(table, range(len(table.columns)), Kind.DATE)
    dates = [n for n in dates if table.columns[n].ordered]
    columns = _of(table, whole, Kind.NUMBER) or _of(table, part, Kind.NUMBER)
    columns = columns or _guessed(text, table, anything=not groups and not dates)
    return Ask(measures, tuple(columns), tuple(dates), groups, tuple(dict.fromkeys(whole or part)))


def _of(table: Table, columns: Sequence[int], kind: Kind) -> list[int]:
    return list(dict.fromkeys(n for n in columns if table.columns[n].kind is kind))


def _guessed(text: str, table: Table, anything: bool) -> list[int]:
    """Where no column is named: what the words hint at, else `anything` there is, if it is not much."""
    numbers = measured_columns(table)
    for names, pattern in _HINTS.items():
        hinted = [n for n in numbers if set(names.split()) & set(words_of(table.columns[n].name))]
        if pattern.search(text) and hinted:
            return hinted[:_MOST_COLUMNS]
    return numbers if anything and len(numbers) <= _MOST_COLUMNS else []


def _groups(
    question: Question, table: Table, mentioned: Sequence[Mention], measures: Sequence[Measure]
) -> tuple[int, ...]:
    """Columns named behind `per`, `by` or `each`; behind `which` where the most or the least is asked."""
    ranking = any(measure in measures for measure in _EXTREMES)
    found: list[int] = []
    for mention in mentioned:
        before = [
            token.casefold() for token in question.tokens[max(0, mention.span[0] - 2) : mention.span[0]]
        ]
        before = [token for token in before if token not in ("the", "of", "a")][-1:]
        split = bool(before) and (before[0] in _GROUPS or (ranking and before[0] in _WHICH))
        if split and len(table.columns[mention.column].counts) > 1:
            found.append(mention.column)
    return tuple(dict.fromkeys(found))
