"""What stands in a prompt for turns that are no longer sent word for word."""

from dataclasses import dataclass
from enum import StrEnum


class SummaryOrigin(StrEnum):
    """Who wrote the prose of a block."""

    MODEL = "model"
    DIGEST = "digest"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class SummaryBlock:
    """Covers the messages of a path from `first` to `last`, ids of both, and counts their turns.

    `facts` are names, numbers, dates, paths and the like, verbatim; `left_out` are those for which
    there was no room, and which are left to search and recall.
    """

    id: str
    first: str
    last: str
    turns: int
    prose: str
    facts: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    origin: SummaryOrigin = SummaryOrigin.MODEL

    @property
    def text(self) -> str:
        """The block as it is sent."""
        facts = "\n".join(f"- {fact}" for fact in self.facts)
        return "\n".join(part for part in (self.prose, facts) if part)
