"""Dates as a person and a model read them."""

from datetime import datetime


def day(at: datetime) -> str:
    """The day of a sitting: eight tokens or so, where an ISO date takes eleven."""
    return f"{at.day} {at:%B %Y}"
