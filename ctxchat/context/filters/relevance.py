"""How much a unit of a text has to do with a question: BM25 over the question's words, found by
searching the text for each, so that a large text is never cut into its words."""

import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from heapq import nlargest, nsmallest
from itertools import accumulate

from ctxchat.context.filters.records import FEWEST, Records
from ctxchat.domain.words import content_words, words

_IDENTIFIER = re.compile(r"[\w@#$%-][\w./:@#$%+-]*[\w%]")
_UNSPACED = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3]")
_ENDINGS = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ings",
    "ing",
    "edly",
    "ies",
    "ied",
    "ed",
    "es",
    "ly",
    "e",
    "s",
    "y",
)
_TAILS = frozenset(
    (*_ENDINGS, "d", "r", "er", "ers", "or", "ors", "ion", "ions", "able", "ive", "ness", "ner", "ning")
)
_TAIL = re.compile(r"[^\W\d_]+")
_SHORTEST_STEM = 4
_MOST_HITS = 200_000
_K, _B = 1.2, 0.4
_STEM_ALONE = 0.8
_RARE_SHARE = 0.002
_LAST = frozenset(("last", "latest", "newest", "recent", "recently", "finally"))
_FIRST = frozenset(("first", "earliest", "oldest", "originally", "initially"))


class Order(IntEnum):
    """Which of many alike a question asks for, by their place in the text."""

    FIRST, ANY, LAST = -1, 0, 1


@dataclass(frozen=True, slots=True)
class Term:
    """What is looked for, in lower case: a stem, which an ending may follow, unless it is the `whole`
    word; a `loose` one may stand inside a word."""

    text: str
    whole: bool
    loose: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Relevance:
    """The scores of units that hold any of a question's words; `rare` are those that hold one which
    few others hold, or the first or last of them where the question asks for that. `records` are the
    scores of records by their number; the question is `of_records` where a word of it stands in most
    of their titles: *which commit …*. A word is rare where no more than three units hold it, or two in
    a thousand."""

    scores: dict[int, float]
    rare: frozenset[int]
    records: dict[int, float] = field(default_factory=dict)
    of_records: bool = False


def terms(question: str) -> list[Term]:
    """The words of a question worth looking for: stems of its content words, numbers, and names such
    as paths and keys as they were written."""
    found: dict[str, Term] = {}
    for word in content_words(question):
        for term in _word_terms(word):
            found.setdefault(term.text, term)
    for name in _IDENTIFIER.findall(question.lower()):
        if not name.isalpha() and name not in found:
            found[name] = Term(name, True, weight=1.5)
    return list(found.values())


def _word_terms(word: str) -> Iterator[Term]:
    if _UNSPACED.search(word):
        for place in range(max(1, len(word) - 1)):
            yield Term(word[place : place + 2], whole=False, loose=True)
    elif word.isalpha() and len(word) >= _SHORTEST_STEM:
        yield Term(_stem(word), whole=False)
    elif len(word) > 1 or word.isdigit():
        yield Term(word, whole=True)


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def lowered(text: str) -> str:
    """A text in lower case, of the same length: one letter alone would become two."""
    return text.replace("İ", "i").lower()


def order_of(question: str) -> Order:
    """Whether a question is about what came first or last."""
    asked = set(words(question))
    last, first = bool(asked & _LAST), bool(asked & _FIRST)
    return Order(last - first)


def relevance(
    units: Sequence[str],
    looked_for: Sequence[Term],
    records: Records | None = None,
    order: Order = Order.ANY,
) -> Relevance:
    """How the units of a text, whose order they have, score for a question."""
    ends = list(accumulate(map(len, units)))
    text = lowered("".join(units))
    average = max(1.0, len(text) / max(1, len(units)))
    scores: dict[int, float] = defaultdict(float)
    of_records: dict[int, float] = defaultdict(float)
    rare: set[int] = set()
    if records and records.newest_first:
        order = Order(-order)
    structure = False
    for term in looked_for:
        frequencies = _frequencies(text, ends, term)
        weight = _rarity(len(units), len(frequencies))
        is_rare = len(frequencies) <= max(3, len(units) * _RARE_SHARE)
        if records and len(records.starts) >= FEWEST and frequencies:
            shared = records.shared(frequencies)
            weight = min(weight, _rarity(len(records.starts), len(shared)))
            if records.is_structure(shared):
                structure, weight, is_rare = True, 0.0, False
            for record, share in shared.items():
                of_records[record] += term.weight * weight * share
        for unit, frequency in frequencies.items():
            long = 1 - _B + _B * len(units[unit]) / average
            scores[unit] += term.weight * weight * frequency * (_K + 1) / (frequency + _K * long)
        rare.update(frequencies if is_rare else _at_the_end(frequencies, order))
    if records and structure:
        rare.update(_at_the_end(records.tells, order))
    return Relevance(dict(scores), frozenset(rare), dict(of_records), structure)


def _rarity(all_of_them: int, among: int) -> float:
    return math.log(1 + (all_of_them - among + 0.5) / (among + 0.5))


def _at_the_end(units: Iterable[int], order: Order) -> list[int]:
    """The two of some units that the question's order means."""
    if order is Order.ANY:
        return []
    return nlargest(2, units) if order is Order.LAST else nsmallest(2, units)


def hits(text: str, term: Term) -> Iterator[tuple[int, float]]:
    """Where a term stands in a text in lower case, and how well: 1 for a whole word."""
    size = len(term.text)
    place = text.find(term.text)
    for _ in range(_MOST_HITS):
        if place < 0:
            return
        before, after = text[place - 1 : place], text[place + size : place + size + 1]
        if term.loose:
            yield place, 1.0
        elif not before.isalnum():
            if not after.isalnum():
                yield place, 1.0
            elif not term.whole and _ends_word(text, place + size):
                yield place, _STEM_ALONE
        place = text.find(term.text, place + size)


def _ends_word(text: str, place: int) -> bool:
    """Whether what follows a stem is an ending, and not the rest of another word."""
    tail = _TAIL.match(text, place, place + 7)
    return tail is not None and tail.group() in _TAILS


def _frequencies(text: str, ends: list[int], term: Term) -> dict[int, float]:
    found: dict[int, float] = defaultdict(float)
    for place, weight in hits(text, term):
        found[bisect_right(ends, place)] += weight
    return found
