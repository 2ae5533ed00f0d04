"""Runs of lines of a good size, cut where a text breaks most.

How strongly a text breaks before a line is a rank: the lower, the stronger. A run that is too
long is cut at its strongest breaks, and again, until every part is short enough, which is sooner
where it has sections; then small neighbours are joined, over a weak break more readily.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from ctxchat.domain.passage import Chunk

SECTION = 0
"""The strongest break: headings and definitions have the ranks from here to `PARAGRAPH`."""
PARAGRAPH, LINE, INSIDE, NEVER = 8, 11, 12, 13
"""Before a paragraph, any line, a line of a block that should stay whole, and a blank line."""

MOST = 1_200
ROOM = 1_000
SECTIONS = 600
SMALL = 160
"""Characters: the most of a chunk, what paragraphs are joined up to, what may hold several
sections, and what is no section of its own. 1,000 are about 165 words."""

Run = tuple[int, int]
"""Lines from the first to before the second, counted from 0."""


def split_lines(text: str) -> list[str]:
    """The lines as an editor counts them, with their ends: of all that `str.splitlines` takes for
    an end only the line feed is one."""
    *whole, rest = text.split("\n")
    lines = [line + "\n" for line in whole]
    return [*lines, rest] if rest else lines


def packed(lines: Sequence[str], ranks: Sequence[int]) -> tuple[Chunk, ...]:
    """The lines as chunks. Blank lines go with what stands before them; blank lines alone are no
    chunk."""
    if not any(rank < NEVER for rank in ranks):
        return ()
    ends = [0, *accumulate(map(len, lines))]
    runs = _joined(list(_cut((0, len(lines)), ranks, ends)), ranks, ends)
    return tuple(chunk for run in runs for chunk in _chunks(run, lines, ends))


def _cut(run: Run, ranks: Sequence[int], ends: Sequence[int]) -> Iterator[Run]:
    first, stop = run
    strongest = min(ranks[first + 1 : stop], default=NEVER)
    if ends[stop] - ends[first] <= (SECTIONS if strongest < PARAGRAPH else MOST) or strongest == NEVER:
        yield run
        return
    started = any(rank < NEVER for rank in ranks[first : first + 1])
    edges = [first]
    for line in range(first + 1, stop):
        if ranks[line] == strongest and started:
            edges.append(line)
        started = started or ranks[line] < NEVER
    if len(edges) == 1:
        yield run
        return
    for part in pairwise((*edges, stop)):
        yield from _cut(part, ranks, ends)


def _joined(runs: Sequence[Run], ranks: Sequence[int], ends: Sequence[int]) -> list[Run]:
    joined = [runs[0]]
    for index, (first, stop) in enumerate(runs[1:], 1):
        before = ends[first] - ends[joined[-1][0]]
        size = ends[stop] - ends[first]
        if ranks[first] >= PARAGRAPH:
            fits = before + size <= ROOM
        else:
            leads = stop < len(ranks) and ranks[first] < ranks[runs[index + 1][0]]
            fits = before + size <= MOST and (before < SMALL or (size < SMALL and not leads))
        if fits:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((first, stop))
    return joined


def _chunks(run: Run, lines: Sequence[str], ends: Sequence[int]) -> Iterator[Chunk]:
    first, stop = run
    text = "".join(lines[first:stop])
    line = first + 1
    if ends[stop] - ends[first] <= MOST:
        yield Chunk(line, stop, text)
        return
    for part in _pieces(text):
        feeds = part.count("\n")
        last = line + feeds - part.endswith("\n")
        yield Chunk(line, last, part)
        line += feeds


def _pieces(text: str) -> Iterator[str]:
    """A line that is too long alone, cut at spaces where there are any. The blank lines around it
    stay with its ends."""
    start = len(text) - len(text.lstrip())
    stop = len(text.rstrip())
    begun = 0
    while stop - start > MOST:
        space = text.rfind(" ", start + MOST // 2, start + MOST)
        cut = start + MOST if space < 0 else space + 1
        yield text[begun:cut]
        begun = start = cut
    yield text[begun:]
