"""The branch left last: what the chat held before a prompt that goes another way, still in cells.

Another conversation, an edited question, a regenerated answer: what the chat loses is shared with a
sequence of its own before, which copies nothing, and where a later prompt goes on from there the two change
places. Its cells are given up where others need them.

A recurrent state has no parts: what the chat held cannot be cut back to what a prompt shares with it. So of
such models the state in which a turn began is kept as well, and another answer, or an edited question, is
read from there on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ctxchat.domain.model import CachePlan
from ctxchat.engine.llama.cells import BRANCH, CHAT, SIDE, TURN, Cells

Ids = tuple[int, ...]


class Sequences(Protocol):
    """What can be done with the cells of sequences."""

    def fork(self, source: int, target: int, cells: int) -> None:
        """Make `target` hold the first `cells` of `source`."""

    def trim(self, sequence: int, cells: int) -> None:
        """Keep the first `cells` of a sequence."""


@dataclass(frozen=True, slots=True)
class Branches:
    """Foretells how a prompt meets the chat, the branch left last and where the turn began, and makes it so.

    `held_elsewhere` says how many of a row of tokens come back without being read, and `carrying` what a
    cell that the chat does not see adds to each of its tokens, as a share of what a token costs: nothing
    where they are passed over. A branch that costs more to carry than to read again is let go.
    """

    cells: Cells
    held_elsewhere: Callable[[Ids], int] = lambda _: 0
    carrying: Callable[[], float] = lambda: 0.0

    def plan(self, ids: Sequence[int], capacity: int) -> CachePlan:
        """How a prompt meets whichever of them it shares more with, and what it carries."""
        source = self._source(ids)
        plan = self.cells.plan(ids, capacity, source)
        if source == TURN:
            chat = self.cells.plan(ids, capacity)
            plan = replace(plan, agreed=max(plan.agreed, chat.agreed), held=chat.held)
        beside = self._kept_beside(source, plan) if self.carrying() else 0
        return replace(plan, beside=beside if len(ids) + beside <= capacity else 0)

    def turn_to(self, ids: Sequence[int], sequences: Sequences, *, answers: bool = False) -> None:
        """Let the chat hold what `plan` says is reused, and nothing more. Where it then `answers`, a turn
        begins there."""
        source = self._source(ids)
        plan = self.cells.plan(ids, 0, source)
        left = CHAT if source == TURN else source
        leaves, beside = self._is_worth_leaving(left, plan), self._kept_beside(source, plan)
        self.go_back_to(ids, sequences)
        if leaves:
            sequences.fork(CHAT, BRANCH, self.cells.count(CHAT))
        elif not beside:
            sequences.trim(BRANCH, 0)
        if source == TURN:
            sequences.fork(TURN, CHAT, self.cells.count(TURN))
        sequences.trim(CHAT, plan.reused)
        if answers and not self.cells.trims:
            sequences.fork(CHAT, TURN, self.cells.count(CHAT))

    def go_back_to(self, ids: Sequence[int], sequences: Sequences) -> None:
        """Let the chat and the branch left last change places where a prompt shares more with the branch."""
        if self._source(ids) == BRANCH:
            self._change_places(sequences)

    def _source(self, ids: Sequence[int]) -> int:
        return max((CHAT, BRANCH, TURN), key=lambda sequence: self.cells.plan(ids, 0, sequence).reused)

    def _change_places(self, sequences: Sequences) -> None:
        chat, branch = self.cells.count(CHAT), self.cells.count(BRANCH)
        sequences.fork(CHAT, SIDE, chat)
        sequences.fork(BRANCH, CHAT, branch)
        sequences.fork(SIDE, BRANCH, chat)
        sequences.trim(SIDE, 0)

    def _kept_beside(self, source: int, plan: CachePlan) -> int:
        """Cells that the branch left last will hold alone, once the prompt has the chat's."""
        left = CHAT if source == TURN else source
        if self._is_worth_leaving(left, plan):
            return self.cells.count(left) - plan.reused
        other = _other(left)
        held = self.cells.count(other)
        beside = held - min(held - self.cells.alone(other, source), plan.reused)
        return beside if self._is_light(plan, beside, beside) else 0

    def _is_worth_leaving(self, source: int, plan: CachePlan) -> bool:
        """Whether the chat loses more than it keeps, or than there would be lost of the branch, and most of
        that would have to be read again."""
        ids = self.cells.ids(source)
        weight = len(ids) - plan.reused
        if weight <= min(plan.reused, self.cells.alone(_other(source), source)):
            return False
        lost = len(ids) - max(plan.reused, self.held_elsewhere(ids))
        return 2 * lost > weight and self._is_light(plan, weight, lost)

    def _is_light(self, plan: CachePlan, cells: int, lost: int) -> bool:
        """Whether carrying cells beside a prompt costs less than reading what is lost of them again."""
        return plan.evaluated * cells * self.carrying() <= lost


def _other(sequence: int) -> int:
    return BRANCH if sequence == CHAT else CHAT
