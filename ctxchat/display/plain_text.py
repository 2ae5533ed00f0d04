"""Text as a terminal may have it."""

_BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_DROPPED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *_BIDI])
del _DROPPED[ord("\n")], _DROPPED[ord("\t")]


def clean(text: str) -> str:
    """Text without control characters (C0, DEL and C1) but newline and tab, so that nothing a model or
    a file says can drive a terminal, and without those that turn the direction of what follows: they
    would show the rest of a line, our own words too, in another order than it has."""
    return text.translate(_DROPPED)


def one_line(text: str) -> str:
    """Clean text with its white space folded, for a row of a table."""
    return " ".join(clean(text).split())


def shortened(text: str, columns: int) -> str:
    """One line of at most `columns` characters, an ellipsis where it was cut."""
    line = one_line(text)
    return line if len(line) <= columns else line[: max(0, columns - 1)] + "…"
