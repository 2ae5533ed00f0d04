"""What the cells hold: the token ids of each sequence, the only truth about their contents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ctxchat.domain.model import CachePlan
from ctxchat.engine.prefix import common_prefix

SEQUENCES = 4
"""0 the chat, 1 side work, 2 where its turn began, 3 the branch left last."""

CHAT = 0
"""The sequence that answers."""

SIDE = 1
"""The sequence of side work: empty but while it runs."""

TURN = 2
"""What the chat held when its turn began, kept where a sequence cannot be cut back."""

BRANCH = 3
"""The branch left last: what the chat held before it went another way."""


@dataclass(frozen=True, slots=True)
class CellTraits:
    """What the cells of a model are like: the bytes of one by the types of its keys and values, whether a
    sequence can be cut back, whether in a context of so many a token has another place than in a shorter
    one, and what carrying one that is not seen adds to a token, as a share of what the token costs."""

    bytes: Callable[[str, str], int]
    trims: bool
    long: Callable[[int], bool]
    carrying: Callable[[], float]


class Cells:
    """A mirror of llama.cpp's cells: it says what is in them, llama.cpp says how many there are."""

    def __init__(self, *, trims: bool) -> None:
        self.trims = trims
        self._ids: list[list[int]] = [[] for _ in range(SEQUENCES)]
        self._fixed = [0] * SEQUENCES

    def ids(self, sequence: int) -> tuple[int, ...]:
        return tuple(self._ids[sequence])

    def count(self, sequence: int) -> int:
        return len(self._ids[sequence])

    def alone(self, sequence: int, other: int) -> int:
        """Cells a sequence holds behind what it has in common with another."""
        return self.count(sequence) - common_prefix(self._ids[sequence], self._ids[other])

    def add(self, sequence: int, ids: Sequence[int]) -> None:
        self._ids[sequence].extend(ids)

    def keep(self, sequence: int, cells: int) -> None:
        """Forget what is behind the first `cells` of a sequence."""
        del self._ids[sequence][cells:]
        if not cells:
            self._fixed[sequence] = 0

    def fork(self, source: int, target: int, cells: int) -> None:
        self._ids[target] = self._ids[source][:cells]
        self._fixed[target] = self._fixed[source] if cells else 0

    def clear(self) -> None:
        for sequence in range(SEQUENCES):
            self.keep(sequence, 0)

    def fix(self, sequence: int) -> None:
        """Say that what a sequence holds now cannot be cut back: it came from a snapshot that leaves out
        what only its end does not need."""
        self._fixed[sequence] = self.count(sequence)

    def can_keep(self, sequence: int, cells: int) -> bool:
        """Whether a sequence can be cut back to its first `cells`."""
        held = self.count(sequence)
        return cells in (0, held) or (self.trims and self._fixed[sequence] <= cells <= held)

    def plan(self, ids: Sequence[int], capacity: int, sequence: int = CHAT) -> CachePlan:
        """How a prompt meets a sequence. Its last token is always evaluated again, because the
        cells hold no prediction of what follows it. Callable while another thread adds to them."""
        held = self.ids(sequence)
        common = common_prefix(held, tuple(ids))
        reused = min(common, len(ids) - 1)
        if not self.can_keep(sequence, reused):
            reused = 0
        return CachePlan(
            reused=reused,
            evaluated=len(ids) - reused,
            capacity=capacity,
            agreed=common,
            held=len(held),
        )
