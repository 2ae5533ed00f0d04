"""What was seen of a long conversation that was held in several ways."""

from dataclasses import dataclass
from enum import StrEnum
from statistics import median


class Way(StrEnum):
    """How room is made: not at all, by dropping the oldest turns, or by folding and recalling them."""

    FULL = "full"
    LAST = "last"
    MANAGED = "managed"


ORDER = (Way.FULL, Way.MANAGED, Way.LAST)
"""They are held in this order: the one that reads most comes last."""

TURN = 90
"""Tokens of a turn, nearly."""


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A turn that was answered. `first_token` are seconds from the question to the first token of its
    answer, `evaluated` the tokens that were read in between, and `upkeep` those read behind the answer.
    `evidence` says whether what the question asks about stood in the prompt, None where it asks nothing."""

    number: int
    first_token: float | None
    evaluated: int
    upkeep: int
    cells: int
    evidence: bool | None


@dataclass(frozen=True, slots=True)
class WayReport:
    """What was seen of one way: its turns, and whether it ended because the window was full. `asked`
    counts the questions that ask for evidence among all that were to be asked."""

    way: Way
    turns: tuple[ChatTurn, ...]
    full: bool
    asked: int

    @property
    def evaluated(self) -> int:
        return sum(turn.evaluated + turn.upkeep for turn in self.turns)

    @property
    def upkeep(self) -> int:
        return sum(turn.upkeep for turn in self.turns)

    @property
    def peak_cells(self) -> int:
        return max((turn.cells for turn in self.turns), default=0)

    @property
    def kept(self) -> int:
        return sum(turn.evidence is True for turn in self.turns)

    @property
    def first_tokens(self) -> list[float]:
        return [turn.first_token for turn in self.turns if turn.first_token is not None]

    @property
    def median(self) -> float | None:
        return median(self.first_tokens) if self.first_tokens else None

    @property
    def slowest(self) -> float | None:
        return max(self.first_tokens, default=None)


@dataclass(frozen=True, slots=True)
class ChatReport:
    """The conversation in all ways that were begun."""

    model: str | None
    path: str | None
    window: int
    turns: int
    ways: tuple[WayReport, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """One way has come as far as this."""

    report: WayReport
