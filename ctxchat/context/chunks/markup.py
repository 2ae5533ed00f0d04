"""Where Markdown breaks: at headings, by their level, then at paragraphs."""

import re
from collections.abc import Sequence

from ctxchat.context.chunks.packing import INSIDE, LINE, NEVER, PARAGRAPH, SECTION

_HEADING = re.compile(r" {0,3}(#{1,6})(?:\s|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def markdown_ranks(lines: Sequence[str]) -> list[int]:
    """A rank for each line. What is fenced, and the front matter, stays whole if it can."""
    front = _front_matter(lines)
    ranks = [INSIDE] * front
    fence = ""
    for index in range(front, len(lines)):
        rank, fence = _rank(lines, index, fence)
        if rank == NEVER and not lines[index].strip():
            ranks.append(NEVER)
            continue
        ranks.append(rank)
        mark = None if fence else _UNDERLINE.match(lines[index])
        if (
            mark
            and index > front
            and ranks[index - 1] in (PARAGRAPH, LINE)
            and _stands_alone(lines, index - 1)
        ):
            ranks[index - 1] = SECTION + (mark.group(1)[0] == "-")
            ranks[index] = INSIDE
    return ranks


def _rank(lines: Sequence[str], index: int, fence: str) -> tuple[int, str]:
    """The rank of a line, and the fence that is open behind it."""
    line = lines[index]
    if not line.strip():
        return NEVER, fence
    mark = _FENCE.match(line)
    if fence:
        closes = mark and mark.group(1).startswith(fence) and not mark.group(2).strip()
        return INSIDE, "" if closes else fence
    if mark:
        return _paragraph(lines, index), mark.group(1)
    heading = _HEADING.match(line)
    return (SECTION + len(heading.group(1)) - 1 if heading else _paragraph(lines, index)), ""


def _paragraph(lines: Sequence[str], index: int) -> int:
    return PARAGRAPH if index == 0 or not lines[index - 1].strip() else LINE


def _stands_alone(lines: Sequence[str], index: int) -> bool:
    """Whether a line begins its paragraph, as the text of an underlined heading does."""
    return index == 0 or not lines[index - 1].strip()


def _front_matter(lines: Sequence[str]) -> int:
    """How many lines it takes."""
    if not lines or lines[0].rstrip() not in ("---", "+++"):
        return 0
    mark = lines[0].rstrip()
    return next((index + 1 for index, line in enumerate(lines[1:200], 1) if line.rstrip() == mark), 0)
