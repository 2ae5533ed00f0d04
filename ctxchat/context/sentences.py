"""Sentences and clauses as spans of their text, so that what is taken from it stays verbatim."""

import re
from collections.abc import Iterator
from itertools import pairwise

Span = tuple[int, int]

_LINE = re.compile(r"[^\r\n]+")
_BULLET = re.compile(r"[ \t]*(?:(?:[-*+•>#]{1,6}|\d{1,3}[.)])[ \t]+)?")
_END = re.compile(r"[.!?…]{1,6}[\"'”’)\]*_]{0,3}(?=\s)|[。！？]{1,3}[\"”」』)]{0,2}")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:dr|mrs?|ms|st|prof|sr|jr|no|vs|etc|approx|fig|e\.g|i\.e|cf|[a-z])\.$", re.IGNORECASE
)
_SHORT_WORD = re.compile(r"\b[^\W\d_]{1,3}\.$")
_UNSPACED = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3]{5}")
_CLAUSE = re.compile(
    r"[,;:][ \t]+|[ \t][–—-][ \t]|[，；：]|[ \t](?=(?:and|but|because|so|while|which|where|who|then)[ \t])"
)


def sentences(text: str) -> Iterator[Span]:
    """Spans of the sentences, without list marks and the space around; a line's end ends one too."""
    for line in _LINE.finditer(text):
        mark = _BULLET.match(text, line.start(), line.end())
        start = mark.end() if mark else line.start()
        for end in _END.finditer(text, start, line.end()):
            if _ends(text, end):
                yield from _trimmed(text, start, end.end())
                start = end.end()
        yield from _trimmed(text, start, line.end())


def clauses(text: str, span: Span) -> list[Span]:
    """Spans of a sentence's clauses, by its commas, dashes and conjunctions."""
    start, stop = span
    found: list[Span] = []
    for mark in _CLAUSE.finditer(text, start, stop):
        found += _trimmed(text, start, mark.start())
        start = mark.end()
    return [*found, *_trimmed(text, start, stop)]


def first_sentence(text: str) -> str:
    """The first one of more than a greeting's length, or the first that says anything."""
    said = [text[start:end] for start, end in sentences(text) if any(map(str.isalnum, text[start:end]))]
    return next((sentence for sentence in said if _weighty(sentence)), said[0] if said else "")


def pieces(text: str) -> list[str]:
    """The whole text cut behind each sentence, each with the space that follows it; a list mark
    stays with its sentence."""
    starts = [_marked(text, start) for start, _ in sentences(text)]
    edges = [0, *starts[1:], len(text)]
    return [text[a:b] for a, b in pairwise(edges) if a < b]


def _marked(text: str, start: int) -> int:
    line = text.rfind("\n", 0, start) + 1
    return line if _BULLET.fullmatch(text, line, start) else start


def _weighty(sentence: str) -> bool:
    return len(sentence.split()) > 2 or _UNSPACED.search(sentence) is not None


def _ends(text: str, end: re.Match[str]) -> bool:
    """A full stop does not end a sentence behind an abbreviation, nor behind a very short word
    before a small letter."""
    if not end.group().startswith(".") or len(end.group()) > 1:
        return True
    near = max(0, end.start() - 8)
    if _ABBREVIATION.search(text, near, end.end()):
        return False
    follows = text[end.end() : end.end() + 3].lstrip()[:1]
    return not (follows.islower() and _SHORT_WORD.search(text, near, end.end()))


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end
