"""Text as a terminal may have it."""

_DROPPED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
del _DROPPED[ord("\n")], _DROPPED[ord("\t")]


def clean(text: str) -> str:
    """Text without control characters (C0, DEL and C1) but newline and tab, so that nothing a
    model or a file says can drive a terminal."""
    return text.translate(_DROPPED)


def one_line(text: str) -> str:
    """Clean text with its white space folded, for a row of a table."""
    return " ".join(clean(text).split())


def shortened(text: str, columns: int) -> str:
    """One line of at most `columns` characters, an ellipsis where it was cut."""
    line = one_line(text)
    return line if len(line) <= columns else line[: max(0, columns - 1)] + "…"
