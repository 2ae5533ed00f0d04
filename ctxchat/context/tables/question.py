"""What a question about a table names: its columns, and values that stand in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from ctxchat.context.tables.table import Column, Kind, Table
from ctxchat.domain.words import STOP_WORDS

Span = tuple[int, int]
"""Words of the question, from the first to before the second."""

_WORDS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_EDGES = "?!.,;:()\"'“”‘’[]{}*`"
_COMPARES = re.compile(r"(?<![<>=!])([<>]=?|=|≠|≤|≥)(?![<>=])")
_EQUALS = frozenset(("=", "is", "of", "number", "nr", "no", "#", "was", "equals", "equal"))
_LONGEST = 8
_MOST_TOKENS = 600
"""Of a longer question the beginning is read: what follows is pasted."""
_FUZZY_VALUES = 2_000
"""Values of a column with more distinct ones are found as they are written, apart from case."""


@dataclass(frozen=True)
class Question:
    """`tokens` are what white space separates, without the punctuation around; `words` are those
    parted further, in the singular, each `at` its token."""

    tokens: tuple[str, ...]
    words: tuple[str, ...]
    at: tuple[int, ...]

    @cached_property
    def phrases(self) -> dict[str, list[Span]]:
        """Runs of up to eight tokens in small letters, and where they stand."""
        found: dict[str, list[Span]] = {}
        for start in range(len(self.tokens)):
            for stop in range(start + 1, min(start + _LONGEST, len(self.tokens)) + 1):
                found.setdefault(" ".join(self.tokens[start:stop]).casefold(), []).append((start, stop))
        return found

    def spans(self, words: Sequence[str]) -> Iterator[Span]:
        """Where these words stand one behind the other, as spans of tokens."""
        size = len(words)
        for start in range(len(self.words) - size + 1 if size else 0):
            if self.words[start : start + size] == tuple(words):
                yield self.at[start], self.at[start + size - 1] + 1


@dataclass(frozen=True, slots=True)
class Mention:
    """A column, by its index, and the tokens that name it: `whole`, or by a word of its name."""

    column: int
    span: Span
    whole: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A value of a column that the question holds."""

    column: int
    value: str
    span: Span


def asked(text: str) -> Question:
    parts = _COMPARES.sub(r" \1 ", text).split()
    bare = (part.strip(_EDGES).removesuffix("'s").removesuffix("’s") for part in parts)
    tokens = list(islice(filter(None, bare), _MOST_TOKENS))
    pairs = [(word, index) for index, token in enumerate(tokens) for word in words_of(token)]
    return Question(tuple(tokens), tuple(word for word, _ in pairs), tuple(index for _, index in pairs))


def words_of(name: str) -> list[str]:
    """The words of a name, however they are put together, in small letters and the singular."""
    return [singular(word) for word in _WORDS.findall(_CAMEL.sub(" ", name).casefold())]


def singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return (
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
    )


def mentions(question: Question, columns: Sequence[Column]) -> list[Mention]:
    """The columns it names. A whole name counts for more than the longer names it is a part of."""
    names = [words_of(column.name) for column in columns]
    whole = [Mention(n, span, True) for n, name in enumerate(names) for span in question.spans(name)]
    whole = [m for m in whole if not any(_inside(m.span, other.span) for other in whole)]
    taken = {index for mention in whole for index in range(*mention.span)}
    partial = [
        Mention(n, (at, at + 1), False)
        for n, name in enumerate(names)
        for word, at in zip(question.words, question.at, strict=True)
        if len(name) > 1 and word in name and at not in taken and len(word) > 2 and word not in STOP_WORDS
    ]
    return sorted({*whole, *partial}, key=lambda mention: mention.span)


def matches(question: Question, table: Table, named: Sequence[Mention]) -> list[Match]:
    """The values it holds, the longest where one lies in another. A number counts where its column
    is named beside it; stop words count where they are in capitals in both.
    Dates that sort as texts do are found as periods instead."""
    found = [
        Match(index, value, span)
        for index, column in enumerate(table.columns)
        if not column.ordered
        for value, span in _values(question, column)
        if column.kind is not Kind.NUMBER or _beside(question, index, span, named)
    ]
    names = [mention.span for mention in named if mention.whole]
    return [
        match
        for match in found
        if not any(_inside(match.span, other.span) for other in found)
        and not any(match.span == name or _inside(match.span, name) for name in names)
    ]


def _values(question: Question, column: Column) -> Iterator[tuple[str, Span]]:
    fuzzy = len(column.counts) <= _FUZZY_VALUES and column.kind is Kind.TEXT
    heard = set(question.words)
    for value in column.counts:
        spans = question.phrases.get(" ".join(value.split()).casefold())
        if spans is None and fuzzy and not heard.isdisjoint(words := words_of(value)):
            spans = list(question.spans(words))
        for span in spans or ():
            said = question.tokens[slice(*span)]
            if any(token.casefold() not in STOP_WORDS for token in said) or (
                value.isupper() and value == " ".join(said)
            ):
                yield value, span


def _beside(question: Question, column: int, span: Span, named: Sequence[Mention]) -> bool:
    """Whether the column is named right before, with nothing between that compares otherwise."""
    between = (
        question.tokens[m.span[1] : span[0]] for m in named if m.column == column and m.span[1] <= span[0]
    )
    return any(len(words) < 2 and all(word.casefold() in _EQUALS for word in words) for words in between)


def _inside(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner != outer
