"""Amounts as a person reads them; a dash for what is not known."""

from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxchat.domain.receipt import Money

DASH = "–"
_SCALES = ("", "k", "M", "G", "T")
_UNITS = ("B", "kB", "MB", "GB", "TB")


def count(number: int | None) -> str:
    return DASH if number is None else f"{number:,}"


def estimate(number: int, *, exact: bool) -> str:
    """A number, marked where it was estimated."""
    return f"{number:,}" if exact else f"~{number:,}"


def size(number: float | None) -> str:
    """Bytes, in decimal units."""
    if number is None:
        return DASH
    unit = 0
    while number >= 999.95 and unit < len(_UNITS) - 1:
        number /= 1000
        unit += 1
    return f"{number:.1f} {_UNITS[unit]}" if unit else f"{number:.0f} B"


def many(number: int | None) -> str:
    """A count that may be very large, in thousands, millions and so on."""
    if number is None:
        return DASH
    scaled, unit = float(number), 0
    while scaled >= 999.5 and unit < len(_SCALES) - 1:
        scaled /= 1000
        unit += 1
    return f"{scaled:.3g} {_SCALES[unit]}".rstrip()


def seconds(number: float | None) -> str:
    if number is None:
        return DASH
    if number >= 60:
        return f"{int(number) // 60} min {int(number) % 60} s"
    return f"{number:.2f} s" if number < 10 else f"{number:.1f} s"


def rate(number: float | None) -> str:
    """Tokens a second."""
    if number is None:
        return f"{DASH} tok/s"
    return f"{number:.1f} tok/s" if number < 100 else f"{number:.0f} tok/s"


def money(cost: "Money | None") -> str:
    """Two digits that say something, and cents at least."""
    if cost is None:
        return DASH
    digits = 2 if cost.amount >= 1 or not cost.amount else min(8, 1 - floor(log10(abs(cost.amount))))
    return f"{cost.amount:,.{max(2, digits)}f} {cost.currency}"


def percent(done: int, total: int) -> str:
    return f"{100 * done // total} %" if total else DASH
