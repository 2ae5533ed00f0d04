"""Which notes an answer cites, and whether what it says shares words with them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ctxchat.context.sentences import sentences
from ctxchat.domain.receipt import Citation
from ctxchat.domain.words import content_words

_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*$(?:.*?^ {0,3}\1[`~]*[ \t]*$|.*)", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"(`{1,8})(?!`)[^\n]{1,500}?(?<!`)\1(?!`)")
_RANGE = re.compile(r"n(\d{1,4})(?:\s{0,3}[-–]\s{0,3}n(\d{1,4}))?", re.IGNORECASE)
_NEXT = r"\s{0,3}(?:(?:[,;&–-]|and)\s{0,3})?n\d{1,4}"
_BRACKETED = re.compile(rf"\[\s{{0,3}}(?:notes?\s)?n\d{{1,4}}(?:{_NEXT}){{0,40}}\s{{0,3}}\]", re.IGNORECASE)
_LEADING = re.compile(rf"[\s.,;:!?*_-]{{0,9}}(?:{_BRACKETED.pattern}[\s.,;:!?*_-]{{0,9}})+", re.IGNORECASE)
_LONGEST_RANGE = 40


def cited(answer: str, notes: Sequence[Citation], texts: Mapping[str, str]) -> tuple[Citation, ...]:
    """The notes, those cited marked so, and behind them labels that are no note's, in the order
    they appear; `texts` are the notes' by label.

    A label is cited in square brackets (`[n1]`, `[n1, n2]`) outside code. It overlaps where a
    sentence that bears it shares a content word or a number with the note; labels that stand
    behind a full stop belong to the sentence before, and those of a mere list to the whole answer.
    """
    said: dict[str, set[str]] = {}
    for label, words in _citing(answer):
        said.setdefault(label, set()).update(words)
    known = {note.label.casefold() for note in notes}
    marked = (_marked(note, said.get(note.label.casefold()), texts.get(note.label, "")) for note in notes)
    unknown = (Citation(label, cited=True, overlaps=False) for label in said if label not in known)
    return (*marked, *unknown)


def footnotes(citations: Sequence[Citation]) -> tuple[str, ...]:
    """A line for each that is cited, in the order given."""
    return tuple(f"[{citation.label}] {_source(citation)}" for citation in citations if citation.cited)


def _source(citation: Citation) -> str:
    if citation.id is None:
        return "no such note"
    source = citation.source or citation.id
    return source if citation.overlaps else f"{source} (the answer shares no words with it)"


def _marked(note: Citation, words: set[str] | None, text: str) -> Citation:
    if words is None:
        return note
    return replace(note, cited=True, overlaps=not words.isdisjoint(map(_stem, content_words(text))))


def _citing(answer: str) -> Iterator[tuple[str, set[str]]]:
    """Each label, and the words of a sentence that bears it."""
    prose = _CODE.sub(_blank, _FENCED.sub(_blank, answer))
    whole = _words(answer)
    before: set[str] = set()
    for start, end in sentences(prose):
        words = _words(answer[start:end])
        lead = _LEADING.match(prose, start, end)
        for bracket in _BRACKETED.finditer(prose, start, end):
            late = lead is not None and bracket.end() <= lead.end() and bool(before)
            said = before | words if late else words if len(words) > 1 else whole
            for label in _labels(bracket.group()):
                yield label, said
        before = words or before


def _words(text: str) -> set[str]:
    return {_stem(word) for word in content_words(_BRACKETED.sub(" ", text))}


def _labels(bracket: str) -> Iterator[str]:
    """The labels in a bracket; `n2–n4` are three."""
    for match in _RANGE.finditer(bracket):
        first, last = int(match[1]), int(match[2] or match[1])
        if first < last <= first + _LONGEST_RANGE:
            yield from (f"n{number}" for number in range(first, last + 1))
        else:
            yield from (f"n{number}" for number in match.groups() if number)


def _blank(match: re.Match[str]) -> str:
    """Code, replaced by as much space: what stands around it keeps its place."""
    return re.sub(r"[^\n]", " ", match.group())


def _stem(word: str) -> str:
    """Enough of a word for its forms to meet: `deploys`, `deployed`, `deployment`."""
    return word if any(map(str.isdigit, word)) else word[:6].rstrip("s") if len(word) > 3 else word
