"""Counting, adding and comparing the cells of a column, exactly."""

from collections import Counter
from collections.abc import Mapping
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
    """The value over those texts that are numbers, of which there must be one, and whether it had to be
    rounded: four decimals more than the numbers have."""
    values = {text: count for text, count in counts.items() if text in numbers}
    size = sum(values.values())
    with localcontext(Context(prec=_DIGITS)):
        match measure:
            case Measure.SUM:
                return _sum(values, numbers), False
            case Measure.MEAN:
                return _rounded(_sum(values, numbers), Decimal(size), values, numbers)
            case Measure.MEDIAN:
                low, high = _middle(values, numbers, size)
                return (low + high) / 2, False
            case Measure.MIN:
                return min(map(numbers.__getitem__, values)), False
            case _:
                return max(map(numbers.__getitem__, values)), False


def shown(number: Decimal) -> str:
    """In plain digits, without zeros at the end of what was computed."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _sum(values: Mapping[str, int], numbers: Mapping[str, Decimal]) -> Decimal:
    return sum((numbers[text] * count for text, count in values.items()), Decimal(0))


def _rounded(
    total: Decimal, size: Decimal, values: Mapping[str, int], numbers: Mapping[str, Decimal]
) -> tuple[Decimal, bool]:
    places = _PLACES + max(-int(numbers[text].as_tuple().exponent) for text in values)
    context = Context(prec=_DIGITS)
    mean = context.divide(total, size)
    places = max(places, _PLACES - mean.adjusted())
    rounded = mean.quantize(Decimal(1).scaleb(-places), context=context)
    return rounded, bool(context.flags[Inexact])


def _middle(values: Mapping[str, int], numbers: Mapping[str, Decimal], size: int) -> tuple[Decimal, Decimal]:
    found: list[Decimal] = []
    seen = 0
    merged: Counter[Decimal] = Counter()
    for text, count in values.items():
        merged[numbers[text]] += count
    for number in sorted(merged):
        seen += merged[number]
        while len(found) < 2 and seen > ((size - 1) // 2, size // 2)[len(found)]:
            found.append(number)
    return found[0], found[1]
