"""Numbers within bounds, written out digit by digit."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from ctxchat.engine.grammar.rule_book import either

DIGITS = 15
"""Digits of a number without a bound: what a double holds."""

FREE_FRACTION = '("." [0-9]{1,15})?'
ANY_INTEGER = '"-"? ("0" | [1-9] [0-9]{0,14})'
ANY_NUMBER = f"{ANY_INTEGER} {FREE_FRACTION} ([eE] [-+]? [0-9]{{1,2}})?"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers between two, None where there is no bound; an open bound is not one of them."""

    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False

    @property
    def free(self) -> bool:
        return self.low is None and self.high is None

    def mirrored(self) -> "Bounds":
        """The same below zero for above."""
        low = None if self.high is None else -self.high
        high = None if self.low is None else -self.low
        return Bounds(low, high, self.high_open, self.low_open)

    def positive(self) -> "Bounds":
        """Those that are zero or above."""
        if self.low is not None and self.low >= 0:
            return self
        return Bounds(Fraction(0), self.high, high_open=self.high_open)


def integers(bounds: Bounds) -> str | None:
    """A rule's body for the integers within bounds, None where there are none."""
    if bounds.free:
        return ANY_INTEGER
    low, high = _first(bounds), _last(bounds)
    parts = []
    if high is None or high >= 0:
        parts += _natural(max(low or 0, 0), high)
    if low is None or low < 0:
        below = _natural(1 if high is None else max(1, -high), None if low is None else -low)
        parts += [f'"-" ({either(below)})'] if below else []
    return either(parts) or None


def numbers(bounds: Bounds) -> str | None:
    """A rule's body for the decimal numbers within bounds, None where there are none."""
    if bounds.free:
        return ANY_NUMBER
    parts = _positive(bounds.positive()) if bounds.high is None or bounds.high >= 0 else []
    if bounds.low is None or bounds.low < 0:
        mirrored = bounds.mirrored()
        below = mirrored.positive()
        if mirrored.low is None or mirrored.low < 0:
            below = Bounds(Fraction(0), below.high, True, below.high_open)
        negative = _positive(below)
        parts += [f'"-" ({either(negative)})'] if negative else []
    return either(parts) or None


def _first(bounds: Bounds) -> int | None:
    """The lowest integer within bounds."""
    if bounds.low is None:
        return None
    return floor(bounds.low) + 1 if bounds.low_open else ceil(bounds.low)


def _last(bounds: Bounds) -> int | None:
    if bounds.high is None:
        return None
    return ceil(bounds.high) - 1 if bounds.high_open else floor(bounds.high)


def _positive(bounds: Bounds) -> list[str]:
    """Numbers from zero on: those within the first integer, whole ones between, and the last."""
    low = bounds.low or Fraction(0)
    high = bounds.high
    if high is not None and (low > high or (low == high and (bounds.low_open or bounds.high_open))):
        return []
    if high is None:
        between = _natural(floor(low) + 1, None)
        first = Bounds(low, None, bounds.low_open)
        return [*_within(floor(low), first), *(f"({each}) {FREE_FRACTION}" for each in between)]
    parts = _within(floor(low), bounds)
    if floor(high) > floor(low):
        parts += [f"({each}) {FREE_FRACTION}" for each in _natural(floor(low) + 1, floor(high) - 1)]
        parts += _within(floor(high), Bounds(None, high, False, bounds.high_open))
    return parts


def _within(whole: int, bounds: Bounds) -> list[str]:
    """Numbers of one whole part within bounds, with as many decimals as the bounds have, and more."""
    low = max(Fraction(0), (bounds.low or Fraction(0)) - whole)
    high = Fraction(1) if bounds.high is None else min(Fraction(1), bounds.high - whole)
    low_open = bounds.low_open and bounds.low is not None and bounds.low >= whole
    high_open = bounds.high_open or high == 1
    if low == 0 and not low_open and high == 1:
        return [f'"{whole}" {FREE_FRACTION}']
    parts = [f'"{whole}"'] if low == 0 and not low_open and not (high == 0 and high_open) else []
    places = max(_places(low), _places(high), 1) + 1
    for place in range(1, places + 1):
        scale = 10**place
        first = floor(low * scale) + 1 if low_open else ceil(low * scale)
        last = ceil(high * scale) - 1 if high_open else floor(high * scale)
        if first <= last:
            parts.append(f'"{whole}." ({_same_length(first, last, place)})')
        before = floor(high * scale) - 1
        if place == places and first <= before:
            parts.append(f'"{whole}." ({_same_length(first, before, place)}) [0-9]{{1,12}}')
    return parts


def _places(value: Fraction) -> int:
    """Decimals of a number, at most twelve."""
    return next((n for n in range(13) if (value * 10**n).denominator == 1), 12)


def _natural(low: int, high: int | None) -> list[str]:
    """Integers from zero on, by their lengths."""
    if high is None:
        length = max(DIGITS, len(str(low)) + 1)
        free = f"[1-9] [0-9]{{{len(str(low))},{length - 1}}}"
        return [*_natural(low, 10 ** len(str(low)) - 1), free]
    parts = []
    for length in range(len(str(low)), len(str(high)) + 1):
        first, last = max(low, 10 ** (length - 1) if length > 1 else 0), min(high, 10**length - 1)
        if first <= last:
            parts.append(_same_length(first, last, length))
    return parts


def _same_length(low: int, high: int, length: int) -> str:
    """Numbers of so many digits, zeros before them included."""
    first, last = str(low).zfill(length), str(high).zfill(length)
    return _digits(first, last)


def _digits(low: str, high: str) -> str:
    if not low:
        return '""'
    rest = len(low) - 1
    if set(low) == {"0"} and set(high) == {"9"}:
        return f"[0-9]{{{len(low)}}}"
    if low[0] == high[0]:
        return f'"{low[0]}" ({_digits(low[1:], high[1:])})' if rest else f'"{low[0]}"'
    if not rest:
        return f"[{low}-{high}]"
    parts = []
    begin, end = int(low[0]), int(high[0])
    if set(low[1:]) != {"0"}:
        parts.append(f'"{begin}" ({_digits(low[1:], "9" * rest)})')
        begin += 1
    if set(high[1:]) != {"9"}:
        parts.append(f'"{end}" ({_digits("0" * rest, high[1:])})')
        end -= 1
    if begin <= end:
        parts.append(f"[{begin}-{end}] [0-9]{{{rest}}}")
    return either(parts)
