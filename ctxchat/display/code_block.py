"""The first code block of an answer."""

import re

_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}(?=[^`]*$)|~{3,})", re.MULTILINE)


def first_code_block(markdown: str) -> str | None:
    """The text inside the first fence, None without one; a fence left open runs to the end."""
    opening = _FENCE.search(markdown)
    if opening is None:
        return None
    _, _, rest = markdown[opening.start() :].partition("\n")
    fence = opening["fence"]
    closing = re.search(rf"^ {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$", rest, re.MULTILINE)
    return (rest[: closing.start()] if closing else rest).removesuffix("\n")
