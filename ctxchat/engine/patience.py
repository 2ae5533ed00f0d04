"""What is tried again, how often, and how long is waited before."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_TRIES = 6
"""In a row; each byte that comes begins a new row."""

FIRST_TRIES = 3
"""Of a connection nothing has come over yet: most likely there is none to be had."""

MAX_WAIT = 300.0
"""Seconds; who asks for more is told of instead."""

_PASSING = {408, 416, 429, 500, 502, 503, 504}


def pause(
    number: int,
    status: int | None = None,
    retry_after: str | None = None,
    *,
    tries: int = MAX_TRIES,
    most: float = MAX_WAIT,
) -> float | None:
    """Seconds to wait behind the `number`-th failure in a row, None where trying again is of no use, or who
    asks for patience asks for more than the `most`. Without a status the connection failed."""
    if number >= tries or (status is not None and status not in _PASSING):
        return None
    told = _seconds(retry_after) if status in {429, 503} else None
    if told is not None:
        return told if told <= most else None
    return min(0.5 * 2.0 ** (number - 1), 8.0)


def _seconds(retry_after: str | None) -> float | None:
    """A number of seconds, or a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
