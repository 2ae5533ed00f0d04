"""Counting, adding and comparing the cells of a column, exactly."""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, Inexact, localcontext
from enum import StrEnum

_DIGITS = 320
"""Enough for sums of numbers of 40 digits on either side of the point and exponents of two."""
_PLACES = 4


class Measure(StrEnum):
    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MEDIAN = "median"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct values"


def measured(
    measure: Measure, counts: Mapping[str, int], numbers: Mapping[str, Decimal]
) -> tuple[Decimal, bool]:
    """The value over those texts that are numbers, of which there must be one, and whether it had
    to be rounded: a mean, to four decimals more than the numbers have."""
    values = [(numbers[text], count) for text, count in counts.items() if text in numbers]
    if measure in (Measure.MIN, Measure.MAX):
        least = min if measure is Measure.MIN else max
        return least(number for number, _ in values), False
    size = sum(count for _, count in values)
    with localcontext(Context(prec=_DIGITS)):
        if measure is Measure.MEDIAN:
            low, high = _middle(values, size)
            return (low + high) / 2, False
        total = sum((number * count for number, count in values), Decimal(0))
        return (total, False) if measure is Measure.SUM else _divided(total, size)


def shown(number: Decimal) -> str:
    """In plain digits, without zeros at the end of what was computed."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _divided(total: Decimal, size: int) -> tuple[Decimal, bool]:
    """An exact sum has as many decimals as the number with most of them."""
    context = Context(prec=_DIGITS)
    mean = context.divide(total, Decimal(size))
    places = _PLACES + max(-int(total.as_tuple().exponent), -mean.adjusted(), 0)
    rounded = mean.quantize(Decimal(1).scaleb(-places), context=context)
    return rounded, bool(context.flags[Inexact])


def _middle(values: Sequence[tuple[Decimal, int]], size: int) -> tuple[Decimal, Decimal]:
    """The one in the middle twice, or the two beside it."""
    found: list[Decimal] = []
    seen = 0
    for number, count in sorted(values):
        seen += count
        while len(found) < 2 and seen > ((size - 1) // 2, size // 2)[len(found)]:
            found.append(number)
    return found[0], found[1]
