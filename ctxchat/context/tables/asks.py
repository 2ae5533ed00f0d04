"""What a question about a table wants computed, and of which columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ctxchat.context.tables.measurable import counts_for, hinted_columns, measurable
from ctxchat.context.tables.measures import Measure
from ctxchat.context.tables.question import Mention, Question
from ctxchat.context.tables.table import Kind, Table

_WORDS = {
    Measure.COUNT: r"how\ many|number\ of|counts?|how\ often",
    Measure.DISTINCT: r"distinct|different|unique",
    Measure.SUM: r"totals?|sum|altogether|combined|overall|how\ much",
    Measure.MEAN: r"average|mean|avg|on\ average|typical(?:ly)?",
    Measure.MEDIAN: r"median",
    Measure.MIN: r"minimum|min|lowest|smallest|least|fewest|cheapest|earliest|shortest|lightest|worst|first"
    r"|oldest|youngest",
    Measure.MAX: r"maximum|max|highest|largest|biggest|greatest|most|top|priciest|latest|newest|longest"
    r"|heaviest|tallest|best|last|recent|oldest|youngest",
}
_PATTERNS = {measure: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for measure, words in _WORDS.items()}
_DATED = re.compile(r"\b(?:earliest|latest|newest|oldest|recent|first|last)\b", re.IGNORECASE)
_GROUPS = frozenset(("per", "by", "each", "every"))
_WHICH = frozenset(("which", "what", "whose"))
_TOP = re.compile(
    r"\b(?:top|best|highest|largest|biggest|lowest|smallest|cheapest|most\ expensive)\ (\d{1,2})\b"
    r"|\b(\d{1,2})\ (?:most|best|high|large|big|great|low|small|cheap|late|new|old|long|short|least)",
    re.IGNORECASE,
)
_EXTREMES = (Measure.MIN, Measure.MAX)


@dataclass(frozen=True, slots=True)
class Ask:
    """`measures` to take of the `columns` and of the `dates` (the least and the greatest: so many of
    them as `top` says), `groups` to take them in, and `named`: columns whose distinct values may
    be what is counted."""

    measures: tuple[Measure, ...]
    columns: tuple[int, ...]
    dates: tuple[int, ...]
    groups: tuple[int, ...]
    named: tuple[int, ...]
    top: int = 1


def ask_of(text: str, question: Question, table: Table, mentioned: Sequence[Mention]) -> Ask:
    measures = tuple(measure for measure, pattern in _PATTERNS.items() if pattern.search(text))
    groups = _groups(question, table, mentioned, measures)
    whole = [m.column for m in mentioned if m.whole and m.column not in groups]
    part = [m.column for m in mentioned if not m.whole and m.column not in groups]
    counted = [m.column for m in mentioned if m.column in part and counts_for(table, m)]
    dates = _of(table, whole, Kind.DATE) or _of(table, part, Kind.DATE)
    if not dates and _DATED.search(text):
        dates = _of(table, range(len(table.columns)), Kind.DATE)
    dates = [n for n in dates if table.columns[n].ordered]
    columns = _of(table, whole, Kind.NUMBER) or _of(table, counted, Kind.NUMBER)
    columns = columns or (hinted_columns if groups or dates else measurable)(table, text)
    top = _TOP.search(text)
    most = int(top[1] or top[2]) if top else 1
    return Ask(measures, tuple(columns), tuple(dates), groups, tuple(dict.fromkeys(whole or part)), most)


def _of(table: Table, columns: Sequence[int], kind: Kind) -> list[int]:
    return list(dict.fromkeys(n for n in columns if table.columns[n].kind is kind))


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
