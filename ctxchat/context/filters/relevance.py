"""How much a unit of a text has to do with a question: BM25 over the question's words, found by
searching the text for each, so that a large text is never cut into its words."""

import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ctxchat.domain.words import content_words

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
    few others hold."""

    scores: dict[int, float]
    rare: frozenset[int]


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


def relevance(units: Sequence[str], looked_for: Sequence[Term], rare_share: float = 0.002) -> Relevance:
    """How the units of a text, whose order they have, score for a question. A word is rare where no
    more than three units hold it, or `rare_share` of them."""
    ends = list(accumulate(map(len, units)))
    text = lowered("".join(units))
    average = max(1.0, len(text) / max(1, len(units)))
    scores: dict[int, float] = defaultdict(float)
    rare: set[int] = set()
    for term in looked_for:
        frequencies = _frequencies(text, ends, term)
        among = len(frequencies)
        weight = term.weight * math.log(1 + (len(units) - among + 0.5) / (among + 0.5))
        for unit, frequency in frequencies.items():
            long = 1 - _B + _B * len(units[unit]) / average
            scores[unit] += weight * frequency * (_K + 1) / (frequency + _K * long)
        if among <= max(3, len(units) * rare_share):
            rare.update(frequencies)
    return Relevance(dict(scores), frozenset(rare))


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
