"""How much of a window a prompt may use, and how many turns to fold when it would use more."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from ctxchat.domain.conversation import Section
from ctxchat.domain.prompt import Prompt

BLOCKS_SHARE = 0.25
"""What all summary blocks may take of what may be used; past it they are merged."""

BLOCK_SHARE = 0.1
"""What one compaction may add, of what may be used."""

LEAST_BLOCK = 48
"""Tokens a summary block needs to say anything."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens. A prompt may have `usable`; past `trigger` the oldest turns are folded while the
    person reads, until `landing` is left. `block` and `blocks` limit one summary and all of them.
    """

    usable: int
    trigger: int
    landing: int
    block: int
    blocks: int


def budget_for(usable: int, *, compact_at: float, compact_to: float) -> Budget:
    """The budget of a window: every part is a share, so that small windows work as large ones."""
    return Budget(
        usable=usable,
        trigger=int(usable * compact_at),
        landing=int(usable * compact_to),
        block=max(LEAST_BLOCK, int(usable * BLOCK_SHARE)),
        blocks=max(2 * LEAST_BLOCK, int(usable * BLOCKS_SHARE)),
    )


def turn_tokens(prompt: Prompt) -> list[int]:
    """Tokens of each past turn that is sent word for word, oldest first, scaffold included.

    What stands before the first turn, and the question itself, is not counted.
    """
    counts: list[int] = []
    current: int | None = None
    for piece in prompt.pieces:
        if piece.turn is not None and piece.turn != current:
            current = piece.turn
            counts.append(0)
        if counts:
            counts[-1] += len(piece.ids)
    return counts[: prompt.verbatim_turns]


def turns_to_fold(prompt: Prompt, budget: Budget, *, keep: int) -> int:
    """How many of the oldest turns a summary block must take the place of, so that the prompt
    comes down to the landing; all but `keep` where that is not enough, 0 where none can be folded.
    """
    turns = turn_tokens(prompt)
    most = max(0, len(turns) - keep)
    excess = prompt.total + budget.block - budget.landing
    for count, freed in enumerate(accumulate(turns[:most]), start=1):
        if freed >= excess:
            return count
    return most


def could_fit(prompt: Prompt, budget: Budget) -> bool:
    """Whether folding past turns can make a prompt fit: what is not past must leave room."""
    past = sum(turn_tokens(prompt))
    return past > 0 and prompt.total - past + budget.block <= budget.usable


def is_due(prompt: Prompt, budget: Budget) -> bool:
    """Whether the oldest turns should be folded before the next question comes.

    Only where that brings the prompt down to the landing: then as much as lies between landing and
    trigger must be spoken anew before the next time. Elsewhere it waits until it must be done. Notes and
    data are no reason: they can give way by themselves.
    """
    given = prompt.sections[Section.DATA] + prompt.sections[Section.NOTES]
    if prompt.total - given <= budget.trigger:
        return False
    count = turns_to_fold(prompt, budget, keep=1)
    freed = sum(turn_tokens(prompt)[:count])
    return prompt.total + budget.block - freed <= budget.landing


def reclaim_until(prompt: Prompt, budget: Budget, *, keep: int) -> str | None:
    """The message up to which notes and data of past turns, all but the last `keep`, are to be given back,
    from the oldest, so that the prompt comes down to the landing; the last that holds any where that is not
    enough, None where there is nothing to give back."""
    numbers = sorted({piece.turn for piece in prompt.pieces if piece.turn is not None})
    past = numbers[: max(0, prompt.verbatim_turns - keep)]
    freed, last = 0, None
    for piece in prompt.pieces:
        if piece.turn in past and piece.source and piece.section in (Section.DATA, Section.NOTES):
            if last not in (None, piece.source.message) and prompt.total - freed <= budget.landing:
                break
            freed, last = freed + len(piece.ids), piece.source.message
    return last


def shared_out(wanted: Sequence[int], room: int) -> list[int]:
    """A room in tokens for several: who wants less than an equal share gets that, others share the rest."""
    given = dict[int, int]()
    for place, at in enumerate(sorted(range(len(wanted)), key=lambda at: wanted[at])):
        given[at] = min(wanted[at], (room - sum(given.values())) // (len(wanted) - place))
    return [given[at] for at in range(len(wanted))]
