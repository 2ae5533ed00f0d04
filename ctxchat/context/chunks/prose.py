"""Where plain text breaks: at paragraphs."""

from collections.abc import Sequence

from ctxchat.context.chunks.packing import LINE, NEVER, PARAGRAPH


def prose_ranks(lines: Sequence[str]) -> list[int]:
    """A rank for each line."""
    ranks: list[int] = []
    blank = True
    for line in lines:
        before, blank = blank, line.isspace()
        ranks.append(NEVER if blank else PARAGRAPH if before else LINE)
    return ranks
