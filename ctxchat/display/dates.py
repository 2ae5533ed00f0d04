"""Moments as a person reads them."""

from datetime import datetime


def minutes(at: datetime) -> str:
    """The day and the minute, in the time of this machine."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")
