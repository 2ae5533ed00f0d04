"""What a column holds, found from all of its cells."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import islice

from ctxchat.context.tables.table import Column, Kind, Unit

_MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "--", "?"))
_BOOLEANS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})
_DIGITS = r"(?:0|[1-9]\d{0,39}|[1-9]\d{0,2}(?:,\d{3}){1,12})(?:\.\d{1,40})?(?:[eE][+-]?\d{1,2})?|\.\d{1,40}"
_SWAPPED = r"(?:0|[1-9]\d{0,39}|[1-9]\d{0,2}(?:[.’' ]\d{3}){1,12})(?:,\d{1,40})?"
_SIGN = r"[$€£¥₹₽₩]|(?:USD|EUR|GBP|CHF|JPY|INR)\ ?"
_UNIT = r"\ ?[%‰€$£¥₹₽₩]|\ [^\W\d_]{1,8}(?:/[^\W\d_]{1,4})?"
_PLAIN = re.compile(r"(?:[+-]?(?:0|[1-9]\d{0,39})(?:\.\d{1,40})?(?:[eE][+-]?\d{1,2})?\n)++")
_POINT = re.compile(
    rf"(?P<minus>[+−-]?)(?P<before>{_SIGN})?(?P<sign>[+-]?)(?P<digits>{_DIGITS})(?P<behind>{_UNIT})?"
)
_COMMA = re.compile(
    rf"(?P<minus>[+−-]?)(?P<before>{_SIGN})?(?P<sign>[+-]?)(?P<digits>{_SWAPPED})(?P<behind>{_UNIT})?"
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\ ?(?:Z|UTC|[+-]\d{2}:?\d{2})?)?")
_DATE = re.compile(
    r"\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})(?:,?\ \d{1,2}:\d{2}(?::\d{2})?(?:\ ?[AaPp][Mm])?)?"
    r"|\d{4}/\d{1,2}/\d{1,2}"
    r"|(?:\d{1,2}\ )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?(?:\ \d{1,2},?)?\ \d{4}"
)
_NUMERIC = 0.9
"""The share of a column's cells that must be numbers for it to be a column of numbers."""


def column_of(name: str, cells: Sequence[str]) -> Column:
    """The column, with its kind: that of all its cells that are not missing; of numbers a tenth may
    be something else, which is no number then. Where units differ nothing can be added: text."""
    counts = Counter(cells)
    present = [text for text in counts if text.strip().casefold() not in _MISSING]
    absent = len(cells) - sum(map(counts.__getitem__, present))
    if not present:
        return Column(name, Kind.TEXT, counts, counts[""])
    numbers, unit = _numbers(present)
    if sum(map(counts.__getitem__, numbers)) >= _NUMERIC * (len(cells) - absent) > 0:
        return Column(name, Kind.NUMBER, counts, absent, numbers, unit)
    if len(present) <= 2 and {text.casefold() for text in present} in _subsets():
        return Column(name, Kind.BOOLEAN, counts, absent)
    if _all(_ISO, present):
        ordered = len({len(text) for text in present}) == 1 and not any(_zoned(text) for text in present)
        return Column(name, Kind.DATE, counts, absent, ordered=ordered)
    if _all(_DATE, present):
        return Column(name, Kind.DATE, counts, absent)
    return Column(name, Kind.TEXT, counts, counts[""])


def is_number(text: str) -> bool:
    return _POINT.fullmatch(text.strip()) is not None


def _subsets() -> list[set[str]]:
    return [subset for pair in _BOOLEANS for subset in (pair, *({text} for text in pair))]


def _zoned(text: str) -> bool:
    return re.search(r"[+-]\d{2}:?\d{2}$", text[10:]) is not None


def _all(pattern: re.Pattern[str], texts: Iterable[str]) -> bool:
    return all(pattern.fullmatch(text.strip()) for text in texts)


def _numbers(present: Sequence[str]) -> tuple[dict[str, Decimal], Unit]:
    """The values of those texts that are numbers of one unit, written in one way."""
    if _PLAIN.fullmatch("\n".join(present) + "\n"):
        return dict(zip(present, map(Decimal, present), strict=True)), Unit()
    sample = list(islice(present, 200))
    best = max(
        (_POINT, _COMMA), key=lambda way: sum(way.fullmatch(text.strip()) is not None for text in sample)
    )
    if 2 * sum(best.fullmatch(text.strip()) is not None for text in sample) < len(sample):
        return {}, Unit()
    if any(text[0] == "0" and len(text) > 1 and text.isdigit() for text in present):
        return {}, Unit()
    found = {text: match for text in present if (match := best.fullmatch(text.strip()))}
    units = {((m["before"] or "").strip(), (m["behind"] or "").rstrip()) for m in found.values()}
    if len(units) != 1:
        return {}, Unit()
    return {text: _value(match, best is _COMMA) for text, match in found.items()}, Unit(*units.pop())


def _value(match: re.Match[str], comma: bool) -> Decimal:
    digits = match["digits"]
    digits = re.sub(r"[.’' ]", "", digits).replace(",", ".") if comma else digits.replace(",", "")
    value = Decimal(digits)
    return -value if "-" in match["minus"] + match["sign"] or match["minus"] == "−" else value
