"""What a question asks of the rows: that a column has a value, or lies beyond one."""

from collections.abc import Sequence
from itertools import groupby, islice, product

from ctxchat.context.tables.comparisons import compared
from ctxchat.context.tables.condition import Condition, Reading, told
from ctxchat.context.tables.question import Match, Mention, Question, Span
from ctxchat.context.tables.table import Table

_NOT = frozenset(("not", "no", "except", "excluding", "without", "outside", "besides", "non", "≠", "never"))
_MOST = 4
_MOST_VALUES = 12
"""Readings of one question, and values in it that are heard."""

_Group = list[tuple[Match, bool]]


def readings(
    question: Question, table: Table, found: Sequence[Match], named: Sequence[Mention]
) -> list[Reading]:
    """What the question may mean: all its conditions together, one reading for each column that a
    value may stand in, and one more for each of several values of one column."""
    spans = sorted({match.span for match in found})
    options = [[match for match in found if match.span == span] for span in spans[:_MOST_VALUES]]
    result: list[Reading] = []
    choices = list(islice(product(*options), _MOST))
    for choice, beyond in islice(product(choices, compared(question, table, named)), _MOST):
        groups = _by_column(question, choice)
        together = [_condition(table, group) for group in groups]
        result.append((*together, *beyond))
        for place, group in enumerate(groups):
            if len({match.value.casefold() for match, _ in group}) > 1 and not group[0][1]:
                rest = together[:place] + together[place + 1 :]
                result += [(_condition(table, [match]), *rest, *beyond) for match in group]
    return list(dict.fromkeys(filter(None, result)))


def _by_column(question: Question, choice: Sequence[Match]) -> list[_Group]:
    marked = [(match, _denied(question, match.span)) for match in choice]
    marked.sort(key=lambda mark: (mark[0].column, mark[1]))
    return [list(group) for _, group in groupby(marked, key=lambda mark: (mark[0].column, mark[1]))]


def _denied(question: Question, span: Span) -> bool:
    before = [token.casefold() for token in question.tokens[max(0, span[0] - 2) : span[0]]]
    return any(token in _NOT or token.endswith(("n't", "n’t")) for token in before)


def _condition(table: Table, group: _Group) -> Condition:
    column, excluded = group[0][0].column, group[0][1]
    folded = {match.value.casefold().strip() for match, _ in group}
    values = [text for text in table.columns[column].counts if text.casefold().strip() in folded]
    return told(table, column, "≠" if excluded else "=", values, " or ".join(values))
