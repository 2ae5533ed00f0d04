"""A prompt as it is sent: token ids, each attributed to a section."""

from dataclasses import dataclass
from functools import cached_property

from ctxchat.domain.conversation import Section


@dataclass(frozen=True, slots=True)
class SegmentKey:
    """Where a segment is recorded: its message, and its place in the message."""

    message: str
    index: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the prompt that counts under one section.

    `source` is the segment the ids belong to, None for scaffold, system and pins; `fresh` says
    that the ids were made now from text and are not recorded yet. `owner` is the id the ledger
    shows (a pin's, a message's), `turn` the number of the turn, from 1.
    """

    section: Section
    text: str
    ids: tuple[int, ...]
    source: SegmentKey | None = None
    fresh: bool = False
    owner: str | None = None
    turn: int | None = None


OVER_BUDGET = "over budget"


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was left out of a prompt, and why."""

    section: Section
    id: str
    tokens: int
    reason: str


@dataclass(frozen=True)
class Prompt:
    """What the model is given. `window`, `reserve` and `budget` are in tokens; `exact` is False where
    the tokenizer is not known. `opens_reasoning` says that the prompt ends inside a reasoning block.
    """

    pieces: tuple[Piece, ...]
    window: int
    reserve: int
    verbatim_turns: int
    exact: bool = True
    summarized_turns: int = 0
    dropped: tuple[Dropped, ...] = ()
    opens_reasoning: bool = False
    budget: int | None = None

    @cached_property
    def ids(self) -> tuple[int, ...]:
        return tuple(i for piece in self.pieces for i in piece.ids)

    @property
    def total(self) -> int:
        return len(self.ids)

    @property
    def usable(self) -> int:
        """Tokens a prompt may have: the window less the reserve, or a smaller budget."""
        left = self.window - self.reserve
        return left if self.budget is None else min(left, self.budget)

    @cached_property
    def sections(self) -> dict[Section, int]:
        """Tokens under each section, all eight always present; they add up to `total`."""
        counts = dict.fromkeys(Section, 0)
        for piece in self.pieces:
            counts[piece.section] += len(piece.ids)
        return counts
