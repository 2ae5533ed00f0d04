"""What a question says of who spoke, and when."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ctxchat.domain.words import STOP_WORDS, WORD

TIME_WORDS = (
    "yesterday today tonight tomorrow ago last next recently week weekend month year night morning evening"
    " monday tuesday wednesday thursday friday saturday sunday january february april june july august"
    " september october november december"
)
"""Words by which a text says when something was; not those that are more often something else."""

_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_MONTH = {name[:length]: n for n, name in enumerate(_MONTHS, start=1) for length in (3, len(name))}
_ALSO_VERBS = ("may", "mar", "march")
_ISO = re.compile(r"\b((?:19|20)\d\d)-(\d\d)(?:-(\d\d))?\b")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_DAY = re.compile(r"\b(0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?\b(?!:)")
_ASKS_WHEN = re.compile(r"\b(when|how long|(what|which) (year|month|week|day|date|time))\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dates:
    """Days that are meant, by what is said of them; of what is not said, all."""

    years: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.years or self.months)

    def hold(self, at: datetime) -> bool:
        said = ((self.years, at.year), (self.months, at.month), (self.days, at.day))
        return all(not meant or value in meant for meant, value in said)


def asks_when(question: str) -> bool:
    """Whether it asks for a time, as English does."""
    return _ASKS_WHEN.search(question) is not None


def named_dates(question: str) -> Dates:
    """The dates that a question names: in June, on 31 July 2023, 2023-07-31."""
    if iso := _ISO.findall(question):
        return Dates(*(frozenset(map(int, filter(None, parts))) for parts in zip(*iso, strict=True)))
    months = frozenset(
        _MONTH[word.lower()]
        for place, word in enumerate(WORD.findall(question))
        if word.lower() in _MONTH and (word.lower() not in _ALSO_VERBS or (place > 0 and word.istitle()))
    )
    days = frozenset(map(int, _DAY.findall(question))) if months else frozenset()
    return Dates(frozenset(map(int, _YEAR.findall(question))), months, days)


def named_speaker(names: Sequence[str], question: str) -> int | None:
    """The place of the one speaker that a question names, by the first word of the name; None where it
    names none, or several. A name that is a common word must be written as the name is: Will, May."""
    as_written = {word.removesuffix("'s").removesuffix("’s") for word in WORD.findall(question)}
    folded = {word.casefold() for word in as_written}
    held = [place for place, name in enumerate(names) if _holds(name, as_written, folded)]
    return held[0] if len(held) == 1 else None


def _holds(name: str, as_written: set[str], folded: set[str]) -> bool:
    first = next(iter(WORD.findall(name)), "")
    return first in as_written or (first.casefold() in folded and first.casefold() not in STOP_WORDS)
