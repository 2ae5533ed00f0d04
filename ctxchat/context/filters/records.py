"""Texts made of records: a commit and its changes, a stanza, a section, an entry and its trace. The head
of a record alone says nothing, and what stands in it says little without its head."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ctxchat.context.filters.kinds import COMMIT, STAMPED, Kind, stanza_key

FEWEST = 4
"""Records from which on a word that many of them hold is taken as common."""

_CHANGES = re.compile(rf"({COMMIT.pattern})|(diff --(?:git|cc|combined) |Index: )|(@@+ )")
_HEADS = {
    Kind.DIFF: _CHANGES,
    Kind.COMMITS: _CHANGES,
    Kind.PROSE: re.compile("|".join(rf"({'#' * depth} \S)" for depth in range(1, 7))),
    Kind.LOG: re.compile(rf"({STAMPED.pattern})"),
}
"""What heads a record, a group for each depth."""

_TELLING = re.compile(r"(?:Date|AuthorDate|Subject|Description|Summary|Title): ")
_MESSAGE = re.compile(r" {4}\S")
_BELOW_TITLE = 0.4
_LONGEST_TITLE = 40
"""Units behind a head among which its title ends."""


@dataclass(frozen=True, slots=True)
class Records:
    """Where records start, and by unit the one that encloses it (-1 for none). A title is a record's
    head and what tells most of it, of which each unit encloses the next; `tells` are the places of
    the last ones, a record each, and `titles` those of all. Commits stand newest first."""

    starts: list[int]
    parents: list[int]
    tells: list[int]
    titles: frozenset[int]
    newest_first: bool

    def of(self, unit: int) -> int:
        """The number of the record that holds a unit, -1 before the first."""
        return bisect_right(self.starts, unit) - 1

    def shared(self, units: Iterable[int]) -> dict[int, float]:
        """The records that hold some units: 1 where one is of the title, less where none is."""
        found: dict[int, float] = {}
        for unit in units:
            record = self.of(unit)
            if record >= 0 and found.get(record, 0.0) < 1:
                found[record] = 1.0 if unit in self.titles else _BELOW_TITLE
        return found

    def is_structure(self, shared: Mapping[int, float]) -> bool:
        """Whether what stands in these records stands in most titles, and so tells none from another."""
        return sum(share == 1 for share in shared.values()) * 2 > len(self.starts)


def records(texts: Sequence[str], kind: Kind) -> Records | None:
    """The records of a text, None where it has no two, or where nearly each line is one."""
    if kind is not Kind.STANZAS and kind not in _HEADS:
        return None
    depths = list(_depths(texts, kind))
    heads = [(index, depth) for index, depth in enumerate(depths) if depth >= 0]
    if len(heads) < 2:
        return None
    if kind is Kind.LOG and len(heads) * 5 > len(texts) * 4:
        return None
    top = min(depth for _, depth in heads)
    starts = [index for index, depth in heads if depth == top or kind is Kind.PROSE]
    titles = [_title(texts, start, end) for start, end in pairwise((*starts, len(texts)))]
    parents = _parents(depths, {title[0]: title[-1] for title in titles})
    for title in titles:
        for before, behind in pairwise(title):
            parents[behind] = before
    inside = frozenset(index for title in titles for index in title)
    return Records(starts, parents, [title[-1] for title in titles], inside, _are_commits(texts, starts))


def _depths(texts: Sequence[str], kind: Kind) -> Iterator[int]:
    """By unit, how deep the record lies that it heads, -1 where it heads none."""
    head = re.compile(f"({re.escape(stanza_key(texts))})") if kind is Kind.STANZAS else _HEADS[kind]
    for text in texts:
        found = head.match(text)
        yield found.lastindex - 1 if found and found.lastindex else -1


def _title(texts: Sequence[str], start: int, end: int) -> list[int]:
    title = [start]
    for index in range(start + 1, min(end, start + _LONGEST_TITLE)):
        if _TELLING.match(texts[index]):
            title.append(index)
        elif _MESSAGE.match(texts[index]) and COMMIT.match(texts[start]):
            return [*title, index]
    return title


def _are_commits(texts: Sequence[str], starts: list[int]) -> bool:
    return bool(COMMIT.match(texts[starts[0]]))


def _parents(depths: list[int], title_ends: dict[int, int]) -> list[int]:
    parents: list[int] = []
    enclosing: list[tuple[int, int]] = []
    for index, depth in enumerate(depths):
        while depth >= 0 and enclosing and enclosing[-1][0] >= depth:
            enclosing.pop()
        parents.append(enclosing[-1][1] if enclosing else -1)
        if depth >= 0:
            enclosing.append((depth, title_ends.get(index, index)))
    return parents
