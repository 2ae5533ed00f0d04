"""Whether giving something up now saves more time than it costs, by what work costs here.

All of it looks at one conversation while the person reads: as many turns more are expected as fit at the
pace of the last ones, each with an answer as long as theirs were.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from ctxchat.context.budget import Budget, turn_tokens, turns_to_fold
from ctxchat.domain.conversation import Section
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.prompt import Prompt

RECENT = 8
"""Turns by which those to come are reckoned."""

ROOM_FOR = 2
"""A next turn may be so many times the largest of the recent ones and still fits."""

GIVEN_SHARE = 0.2
"""What notes and data of past turns may take of what may be used: no more is asked of them before the
trigger, because whoever attached a text goes on asking about it."""

REQUEST = 96
"""Tokens that ask for a summary."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens of the recent turns: the `largest`, and on average what was read and what was decoded."""

    largest: int
    read: float
    decoded: float

    @property
    def turn(self) -> float:
        return self.read + self.decoded

    def seconds_saved(self, cells: int, turns: float, curve: CostCurve) -> float:
        """What so many turns take less of, where each stands behind `cells` fewer."""
        return turns * cells * (self.decoded * curve.e + self.read * curve.b)


def pace(prompt: Prompt) -> Pace:
    """How the past turns that are sent word for word went on last."""
    turns = turn_tokens(prompt)[-RECENT:]
    if not turns:
        return Pace(0, 0.0, 0.0)
    numbers = _past_turns(prompt)[-len(turns) :]
    decoded = fmean(_answered(prompt, number) for number in numbers)
    return Pace(max(turns), fmean(turns) - decoded, decoded)


def is_worth_folding(prompt: Prompt, budget: Budget, curve: CostCurve) -> bool:
    """Whether a compaction that is due should be made now: because the next turn might not fit, or because
    over the turns that would still fit it saves more than it takes."""
    pace_now, room = pace(prompt), budget.usable - prompt.total
    if room < ROOM_FOR * pace_now.largest:
        return True
    turns = turn_tokens(prompt)
    count = turns_to_fold(prompt, budget, keep=1)
    freed = sum(turns[:count]) - budget.block
    before = prompt.total - sum(turns)
    covered, kept = before + sum(turns[:count]), sum(turns[count:])
    takes = (
        curve.prefill(REQUEST, covered)
        + budget.block / 2 * curve.decode(covered + REQUEST)
        + curve.prefill(budget.block + kept, before)
    )
    return pace_now.seconds_saved(freed, room / pace_now.turn, curve) > takes


def worth_giving_back(prompt: Prompt, budget: Budget, curve: CostCurve) -> str | None:
    """The message up to which notes and data of past turns, all but the last, are to be given back before
    the trigger, because carrying them until then takes longer than reading again what stands behind them.
    Of all it is the one that saves most, None where none saves anything, or they take little."""
    attached = _attached(prompt)
    if sum(one.tokens for one in attached) <= GIVEN_SHARE * budget.usable:
        return None
    pace_now = pace(prompt)
    turns = max(0, budget.trigger - prompt.total) / pace_now.turn
    begin = attached[0].at
    best, most = None, 0.0
    freed = 0
    for one, following in pairwise([*attached, None]):
        assert one
        freed += one.tokens
        if following and following.message == one.message:
            continue
        read_again = curve.prefill(prompt.total - begin - freed, begin)
        saved = pace_now.seconds_saved(freed, turns, curve) - read_again
        if saved > most:
            best, most = one.message, saved
    return best


@dataclass(frozen=True, slots=True)
class _Attached:
    """Notes or data of a message: where in the prompt they begin, and their tokens."""

    message: str
    at: int
    tokens: int


def _attached(prompt: Prompt) -> list[_Attached]:
    """Those of all past turns but the last, oldest first."""
    past = _past_turns(prompt)[:-1]
    found: list[_Attached] = []
    at = 0
    for piece in prompt.pieces:
        if piece.section in (Section.DATA, Section.NOTES) and piece.source and piece.turn in past:
            found.append(_Attached(piece.source.message, at, len(piece.ids)))
        at += len(piece.ids)
    return found


def _past_turns(prompt: Prompt) -> list[int]:
    """The numbers of the past turns that are sent word for word, in their order."""
    numbers = dict.fromkeys(piece.turn for piece in prompt.pieces if piece.turn is not None)
    return list(numbers)[: prompt.verbatim_turns]


def _answered(prompt: Prompt, turn: int) -> int:
    """Tokens of the answer of a turn: of its last message."""
    said = [piece for piece in prompt.pieces if piece.turn == turn and piece.owner]
    return sum(len(piece.ids) for piece in said if piece.owner == said[-1].owner)
