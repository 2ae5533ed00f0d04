"""Chooses which units of a text are sent: those that the question is about, with what stands next to
them, then those that say most wherever they stand. They keep their order, and every gap is marked."""

import re
from bisect import insort
from collections.abc import Collection, Set
from heapq import nlargest

from ctxchat.context.filters.kinds import Kind
from ctxchat.context.filters.lines import amount, mark
from ctxchat.context.filters.oddity import odd
from ctxchat.context.filters.records import Records
from ctxchat.context.filters.relevance import Relevance
from ctxchat.context.filters.templates import ERROR, severity
from ctxchat.context.filters.units import Units

RULE = "relevance to the question"

_MARK_LENGTH = 26
_AROUND = {
    Kind.OUTLINE: (0.6, 0.5, 0.4, 0.3),
    Kind.TABLE: (),
    Kind.JSON: (0.3,),
    Kind.JSON_LINES: (),
    Kind.DIFF: (0.5, 0.4, 0.3),
}
_AROUND_OTHERS = (0.35, 0.2)
_NEXT_TO_ERROR = (1.2, 0.0, 1.6, 1.5, 1.4)
_RARE = 100.0
_BELOW_TITLES, _ASKED_FOR, _OF_RECORD = 0.3, 1.0, 2.0
_OF_HEADING = 0.5
_NOTHING = -1.0
_ROWS = frozenset({Kind.TABLE, Kind.JSON, Kind.JSON_LINES})
_ODD = 1.2
_SPREAD = 0.618034
_WORDS = re.compile(r"\w")
_DEFINITION = re.compile(
    r"\s*(?:(?:async|export|public|private|protected|static|pub|abstract|final)\s+)*"
    r"(?:def|class|func|fn|function|struct|enum|trait|impl|interface|type|void|int)\b"
)


def priorities(units: Units, kind: Kind, found: Relevance) -> list[float]:
    """How much each unit is worth: what shares a rare word with the question is above all else, with
    the lines around it; then other words of the question; then errors, the beginning and the end."""
    size = len(units.texts)
    worth = [_standing(index, size) for index in range(size)]
    if kind == Kind.LOG:
        _raise_errors(units, worth)
    if kind == Kind.OUTLINE:
        for index, text in enumerate(units.texts):
            worth[index] += 0.8 if units.parents[index] < 0 and _WORDS.search(text) else 0.0
            worth[index] += 0.7 if _DEFINITION.match(text) else 0.0
    if kind in _ROWS:
        for index in odd(units.texts):
            worth[index] += _ODD
    share = _BELOW_TITLES if found.of_records else 1.0
    valued = {i: score * share + (_RARE if i in found.rare else 0.0) for i, score in found.scores.items()}
    for index, value in valued.items():
        worth[index] += value
    if not found.of_records:
        for index, value in valued.items():
            _raise_around(worth, index, value, kind)
    if units.records:
        _raise_titles(units.records, worth, found, kind)
    return worth


def _raise_titles(records: Records, worth: list[float], found: Relevance, kind: Kind) -> None:
    """The end of a title is worth what its record is. Heads come with it, and alone are worth nothing."""
    for record, (start, end) in enumerate(zip(records.starts, records.tells, strict=True)):
        if end > start:
            title = [index for index in range(start, end + 1) if index in records.titles]
            told = max(worth[index] for index in title)
            for index in title:
                worth[index] = _NOTHING
            asked = _ASKED_FOR if found.of_records else 0.0
            worth[end] = told + asked + _OF_RECORD * found.records.get(record, 0.0)
        elif kind is Kind.PROSE and end + 1 < len(worth):
            _raise_section(records, worth, found, record)


def _raise_section(records: Records, worth: list[float], found: Relevance, record: int) -> None:
    """What a heading says of the question, the sentences below it that speak of the question say too."""
    start = records.starts[record]
    end = records.starts[record + 1] if record + 1 < len(records.starts) else len(worth)
    for index in range(start + 1, end):
        if index == start + 1 or index in found.scores:
            worth[index] += _OF_HEADING * found.scores.get(start, 0.0)
    worth[start] = 0.0


def _raise_errors(units: Units, worth: list[float]) -> None:
    """Errors are worth more than any place, warnings as much as the best; what stands next to an error
    is worth a little less."""
    for index, text in enumerate(units.texts):
        weight = severity(text[:300])
        worth[index] += weight
        if weight == ERROR:
            for near, least in zip(range(index - 1, index + 4), _NEXT_TO_ERROR, strict=True):
                if 0 <= near < len(worth):
                    worth[near] = max(worth[near], least)


def _standing(index: int, size: int) -> float:
    """What a unit is worth for its place alone: up to 1 at both ends, a little, evenly spread, between."""
    from_end = min(index, size - 1 - index) / max(1, size - 1)
    return max(1 - 10 * from_end, 0.1 * (index * _SPREAD % 1))


def _raise_around(worth: list[float], index: int, score: float, kind: Kind) -> None:
    for distance, share in enumerate(_AROUND.get(kind, _AROUND_OTHERS), 1):
        for near in (index - distance, index + distance):
            if 0 <= near < len(worth):
                worth[near] = max(worth[near], share * score)


def chosen(units: Units, worth: list[float], room: int) -> list[int]:
    """The places of the most valuable units that have room in so many characters, in order."""
    kept: list[int] = []
    places: set[int] = set()
    most = room // 8 + units.head + 1
    best = nlargest(most, range(len(worth)), key=worth.__getitem__)
    for index in (*range(min(units.head, len(worth))), *best):
        needed = _with_parents(units, index, places)
        if worth[index] < 0 or _says_less_than_marks(units, needed, worth, places):
            continue
        cost = sum(_cost(units, place, places) for place in needed)
        if cost <= room:
            room -= cost
            places.update(needed)
            for place in needed:
                insort(kept, place)
    return _bridged(units, kept)


def _says_less_than_marks(units: Units, needed: list[int], worth: list[float], places: Set[int]) -> bool:
    """Whether a unit alone between two gaps is shorter than the mark that parts them."""
    index = needed[0] if needed else -1
    if len(units.texts) * _MARK_LENGTH > units.characters:
        return False
    alone = len(needed) == 1 and index >= units.head and not {index - 1, index + 1} & places
    return alone and len(units.texts[index]) <= _MARK_LENGTH and worth[index] < _RARE


def _bridged(units: Units, kept: list[int]) -> list[int]:
    """The kept units and those between them that are no longer than the mark of their gap would be."""
    bridged: list[int] = []
    for place in kept:
        gap = range(bridged[-1] + 1, place) if bridged else range(0)
        if len(gap) <= _MARK_LENGTH and sum(len(units.texts[index]) for index in gap) <= _MARK_LENGTH:
            bridged += gap
        bridged.append(place)
    return bridged


def _with_parents(units: Units, index: int, places: Collection[int]) -> list[int]:
    needed: list[int] = []
    while index >= 0 and index not in places:
        needed.append(index)
        index = units.parents[index]
    return needed


def _cost(units: Units, index: int, places: Collection[int]) -> int:
    gap = 0 if index - 1 in places or index + 1 in places else _MARK_LENGTH
    return len(units.texts[index]) + gap


def written(units: Units, kept: list[int]) -> str:
    """The kept units, a mark in each gap, and first of all how many of how many are shown."""
    shown = sum(units.shown[index] for index in kept)
    parts = [mark(f"showing {shown:,} of {amount(sum(units.stands), units.noun)}") + "\n"]
    behind = -1
    for index in (*kept, len(units.texts)):
        if index > behind + 1:
            parts.append(_gap(units, behind + 1, index, parts[-1]))
        if index < len(units.texts):
            parts.append(units.texts[index])
        behind = index
    return "".join(parts)


def _gap(units: Units, start: int, end: int, before: str) -> str:
    stands = sum(units.stands[start:end])
    within = not before[-1:].isspace()
    ends_line = end == len(units.texts) or units.texts[end - 1].endswith("\n")
    starts_line = start == 0 or units.texts[start - 1].endswith("\n")
    if not stands and starts_line and ends_line and units.noun == "line":
        return ""  # marks, and lines that a mark counts
    if stands:
        words = f"{amount(stands, units.noun)} left out"
    else:
        words = f"{amount(sum(map(len, units.texts[start:end])), 'character')} left out"
    return (" " if within else "") + mark(words) + ("\n" if ends_line else " ")


def nothing_written(units: Units) -> str:
    """What stands for a text of which nothing has room."""
    return mark(f"all {amount(sum(units.stands), units.noun)} left out")
