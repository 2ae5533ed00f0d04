"""A prompt as it is sent: token ids, each attributed to a section."""

from dataclasses import dataclass
from functools import cached_property

from ctxchat.domain.conversation import Role, Section


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
    shows (a pin's, a message's), `turn` the number of the turn, from 1, and `place` that of the
    prompt's message it is part of, from 0, None for what the chat template puts around messages.
    """

    section: Section
    text: str
    ids: tuple[int, ...]
    source: SegmentKey | None = None
    fresh: bool = False
    owner: str | None = None
    turn: int | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """A message of a prompt as a server takes it that applies the chat template itself."""

    role: Role
    text: str


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
    `roles` are those of its messages.
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
    roles: tuple[Role, ...] = ()

    @property
    def messages(self) -> tuple[PromptMessage, ...]:
        """The prompt without what the chat template puts around its messages."""
        texts = ["" for _ in self.roles]
        for piece in self.pieces:
            if piece.place is not None:
                texts[piece.place] += piece.text
        return tuple(PromptMessage(role, text) for role, text in zip(self.roles, texts, strict=True))

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
