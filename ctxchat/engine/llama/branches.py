"""The branch left last: what the chat held before a prompt that goes another way, still in cells.

Another conversation, an edited question, a regenerated answer: what the chat loses is shared with a
sequence of its own before, which copies nothing, and where a later prompt goes on from there the two change
places. Its cells are given up where others need them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ctxchat.domain.model import CachePlan
from ctxchat.engine.llama.cells import BRANCH, CHAT, SIDE, Cells

Ids = tuple[int, ...]


class Sequences(Protocol):
    """What can be done with the cells of sequences."""

    def fork(self, source: int, target: int, cells: int) -> None:
        """Make `target` hold the first `cells` of `source`."""

    def trim(self, sequence: int, cells: int) -> None:
        """Keep the first `cells` of a sequence."""


@dataclass(frozen=True, slots=True)
class Branches:
    """Foretells how a prompt meets the chat and the branch left last, and makes it so.

    `held_elsewhere` says how many of a row of tokens come back without being read: unless cells that the
    chat does not see are passed over, they cost every token as much as its own, and are not worth it where
    the disk has them.
    """

    cells: Cells
    held_elsewhere: Callable[[Ids], int] = lambda _: 0

    def plan(self, ids: Sequence[int], capacity: int) -> CachePlan:
        """How a prompt meets whichever of the two it shares more with."""
        return self.cells.plan(ids, capacity, self._source(ids))

    def turn_to(self, ids: Sequence[int], sequences: Sequences) -> None:
        """Let the chat hold what `plan` says is reused, and nothing more."""
        self.go_back_to(ids, sequences)
        reused = self.cells.plan(ids, 0).reused
        if self._is_worth_leaving(reused):
            sequences.fork(CHAT, BRANCH, self.cells.count(CHAT))
        sequences.trim(CHAT, reused)

    def go_back_to(self, ids: Sequence[int], sequences: Sequences) -> None:
        """Let the chat and the branch left last change places where a prompt shares more with the branch."""
        if self._source(ids) == BRANCH:
            self._change_places(sequences)

    def _source(self, ids: Sequence[int]) -> int:
        return max((CHAT, BRANCH), key=lambda sequence: self.cells.plan(ids, 0, sequence).reused)

    def _change_places(self, sequences: Sequences) -> None:
        chat, branch = self.cells.count(CHAT), self.cells.count(BRANCH)
        sequences.fork(CHAT, SIDE, chat)
        sequences.fork(BRANCH, CHAT, branch)
        sequences.fork(SIDE, BRANCH, chat)
        sequences.trim(SIDE, 0)

    def _is_worth_leaving(self, reused: int) -> bool:
        """Whether the chat loses more than it keeps, or than there would be lost of the branch, and most of
        that would have to be read again."""
        ids = self.cells.ids(CHAT)
        weight = len(ids) - reused
        if weight <= min(reused, self.cells.alone(BRANCH, CHAT)):
            return False
        lost = len(ids) - max(reused, self.held_elsewhere(ids))
        return 2 * lost > weight
