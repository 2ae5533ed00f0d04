"""Chooses which units of a text are sent: those that the question is about, with what stands next to
them, then those that say most wherever they stand. They keep their order, and every gap is marked."""

import re
from bisect import insort
from collections.abc import Collection
from heapq import nlargest

from ctxchat.context.filters.kinds import Kind
from ctxchat.context.filters.lines import amount, mark
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
    for index, score in found.scores.items():
        worth[index] += score + (_RARE if index in found.rare else 0.0)
    for index, score in found.scores.items():
        _raise_around(worth, index, score + (_RARE if index in found.rare else 0.0), kind)
    return worth


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
    return max(0.0, 1 - 10 * from_end) + 0.1 * (index * _SPREAD % 1)


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
        cost = sum(_cost(units, place, places) for place in needed)
        if cost <= room:
            room -= cost
            places.update(needed)
            for place in needed:
                insort(kept, place)
    return kept


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
    if stands:
        words = f"{amount(stands, units.noun)} left out"
    else:
        words = f"{amount(sum(map(len, units.texts[start:end])), 'character')} left out"
    ends_line = end == len(units.texts) or units.texts[end - 1].endswith("\n")
    return (" " if within else "") + mark(words) + ("\n" if ends_line else " ")


def nothing_written(units: Units) -> str:
    """What stands for a text of which nothing has room."""
    return mark(f"all {amount(sum(units.stands), units.noun)} left out")
