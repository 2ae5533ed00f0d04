"""Where source code breaks: at definitions, then at blank lines, the outer before the inner."""

import re
from collections.abc import Sequence

from ctxchat.context.chunks.packing import INSIDE, LINE, NEVER, PARAGRAPH, SECTION

_DEFINES = re.compile(r"(?:async\s+def|def|class)\b")
_QUOTES = re.compile(r'"""|\'\'\'')
_CLOSERS = ("}", ")", "]", "end", "#endif", "*/", "*")
_DEEPEST = 2


def code_ranks(lines: Sequence[str]) -> list[int]:
    """A rank for each line, in any language: a block that stands outermost, behind a blank line or
    behind the closing bracket of another, is taken for a definition. What is indented less breaks more.
    """
    ranks: list[int] = []
    blank = closed = True
    for line in lines:
        text = line.strip()
        if not text:
            ranks.append(NEVER)
            blank = True
            continue
        depth = _depth(line)
        closes = text.startswith(_CLOSERS)
        if depth == 0 and (blank or closed) and not closes:
            ranks.append(SECTION)
        else:
            ranks.append(PARAGRAPH + depth if blank and not closes else LINE)
        closed, blank = closes and depth == 0, False
    return ranks


def python_ranks(lines: Sequence[str]) -> list[int]:
    """A rank for each line: functions and classes, then methods, then blank lines. Decorators and
    comments above a definition belong to it; a text in triple quotes stays whole if it can."""
    ranks = code_ranks(lines)
    above: int | None = None
    decorated = quoted = False
    for index, line in enumerate(lines):
        text = line.strip()
        if quoted and text:
            ranks[index] = INSIDE
        elif not quoted and _DEFINES.match(text):
            start = index if above is None else above
            ranks[start : index + 1] = [INSIDE if rank < NEVER else rank for rank in ranks[start : index + 1]]
            ranks[start] = SECTION + _depth(line)
            above, decorated = None, False
        elif not quoted and text.startswith(("@", "#")):
            above = index if above is None else above
            decorated = decorated or text.startswith("@")
        elif not decorated:
            above = None
        quoted ^= len(_QUOTES.findall(line)) % 2 == 1
    return ranks


def _depth(line: str) -> int:
    """0 outermost, 1 to 2 inside."""
    spaces = line[: len(line) - len(line.lstrip())].expandtabs(4)
    return min((len(spaces) + 3) // 4, _DEEPEST)
