"""Cuts a text into what is kept or left out whole: lines, rows, sentences, pieces of long lines."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from ctxchat.context.filters.kinds import Kind
from ctxchat.context.filters.lines import Lines
from ctxchat.context.filters.records import Records, records
from ctxchat.context.sentences import pieces

_PARAGRAPH = re.compile(r".+?(?:\n[ \t]*\n\s*|\Z)", re.DOTALL)
_INDENT = re.compile(r"[ \t]*")
_LONGEST_PARAGRAPH = 20_000
_SPACE = re.compile(r"\s")

NOUNS = {Kind.TABLE: "row", Kind.JSON_LINES: "row", Kind.PROSE: "sentence"}


@dataclass
class Units:
    """Parallel lists. The texts of all units, one behind the other, are the text. `parents` is the
    unit that encloses one by its indentation or its record, -1 for none; `stands` and `shown` as in
    Lines, each summing to lines (rows, sentences: `noun`) of the text. The first `head` are always
    shown."""

    noun: str
    head: int = 0
    texts: list[str] = field(default_factory=list)
    stands: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    records: Records | None = None

    @cached_property
    def characters(self) -> int:
        return sum(map(len, self.texts))


def cut(lines: Lines, kind: Kind, longest: int) -> Units:
    """The units of a text of a kind, none of them longer than `longest` characters."""
    units = Units(NOUNS.get(kind, "line"), 1 if kind == Kind.TABLE else 0)
    if kind == Kind.PROSE:
        for text in _sentences(lines.text):
            _add(units, text, 1, 1, longest)
    else:
        ended = len(lines.texts) - (len(lines.texts) > 1 and not lines.texts[-1])
        for index in range(ended):
            counted = index >= units.head
            stands, shown = lines.stands[index] * counted, lines.shown[index] * counted
            _add(units, lines.texts[index] + "\n", stands, shown, longest)
    units.records = records(units.texts, kind)
    enclosed = kind in (Kind.OUTLINE, Kind.JSON, Kind.JSON_LINES)
    if units.records and kind is not Kind.PROSE:
        units.parents = units.records.parents
    else:
        units.parents = _parents(units.texts) if enclosed else [-1] * len(units.texts)
    return units


def _sentences(text: str) -> list[str]:
    """Sentences with the space behind them. The end of a line ends none unless a paragraph ends."""
    found: list[str] = []
    for paragraph in _PARAGRAPH.finditer(text):
        place = paragraph.start()
        for length in _lengths(paragraph.group().rstrip().replace("\n", " ")):
            found.append(text[place : place + length])
            place += length
        if place < paragraph.end():
            found[-1:] = ["".join(found[-1:]) + text[place : paragraph.end()]]
    return found


def _lengths(paragraph: str) -> list[int]:
    """The lengths of its sentences. A long one is read in parts; what a part ends with goes on."""
    lengths: list[int] = []
    for start in range(0, len(paragraph), _LONGEST_PARAGRAPH):
        further = list(map(len, pieces(paragraph[start : start + _LONGEST_PARAGRAPH])))
        if lengths:
            lengths[-1] += further.pop(0)
        lengths += further
    return lengths


def _add(units: Units, text: str, stands: int, shown: int, longest: int) -> None:
    """Adds a text, in pieces where it is too long: cut behind a space where there is one near."""
    start = 0
    while start < len(text):
        end = start + longest
        if end < len(text):
            spaces = [space.end() for space in _SPACE.finditer(text, end - longest // 4, end)]
            end = spaces[-1] if spaces else end
        units.texts.append(text[start:end])
        units.stands.append(stands if start == 0 else 0)
        units.shown.append(shown if start == 0 else 0)
        start = end


def _parents(texts: list[str]) -> list[int]:
    parents: list[int] = []
    open_units: list[tuple[int, int]] = []
    for index, text in enumerate(texts):
        indent = _INDENT.match(text)
        depth = indent.end() if indent and text.strip() else 1_000_000
        while open_units and open_units[-1][0] >= depth:
            open_units.pop()
        parents.append(open_units[-1][1] if open_units else -1)
        if text.strip():
            open_units.append((depth, index))
    return parents
