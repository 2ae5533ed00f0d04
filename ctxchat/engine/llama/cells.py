"""What the cells hold: the token ids of each sequence, the only truth about their contents."""

from collections.abc import Sequence

from ctxchat.domain.model import CachePlan

SEQUENCES = 4
"""0 the chat, 1 side work, 2 calibration, 3 the branch left last."""

CHAT = 0
"""The sequence that answers."""

SIDE = 1
"""The sequence of side work: empty but while it runs."""


class Cells:
    """A mirror of llama.cpp's cells: it says what is in them, llama.cpp says how many there are."""

    def __init__(self, *, trims: bool) -> None:
        self._trims = trims
        self._ids: list[list[int]] = [[] for _ in range(SEQUENCES)]

    def count(self, sequence: int) -> int:
        return len(self._ids[sequence])

    def add(self, sequence: int, ids: Sequence[int]) -> None:
        self._ids[sequence].extend(ids)

    def keep(self, sequence: int, cells: int) -> None:
        """Forget what is behind the first `cells` of a sequence."""
        del self._ids[sequence][cells:]

    def fork(self, source: int, target: int, cells: int) -> None:
        self._ids[target] = self._ids[source][:cells]

    def clear(self) -> None:
        for ids in self._ids:
            ids.clear()

    def plan(self, ids: Sequence[int], capacity: int, sequence: int = CHAT) -> CachePlan:
        """How a prompt meets a sequence. Its last token is always evaluated again, because the
        cells hold no prediction of what follows it."""
        held = self._ids[sequence]
        common = common_prefix(held, list(ids))
        reused = min(common, len(ids) - 1)
        if reused < len(held) and not self._trims:
            reused = 0
        return CachePlan(
            reused=reused,
            evaluated=len(ids) - reused,
            capacity=capacity,
            miss=_miss(reused, common, len(held), len(ids)),
        )


def common_prefix(first: list[int], second: list[int]) -> int:
    """How many ids two lists have in common from the beginning."""
    shorter = min(len(first), len(second))
    if first[:shorter] == second[:shorter]:
        return shorter
    return next(place for place in range(shorter) if first[place] != second[place])


def _miss(reused: int, common: int, held: int, asked: int) -> str | None:
    if reused < min(common, asked - 1):
        why = "the cache of this model cannot be cut back"
    elif common < min(held, asked):
        why = "the prompt differs from there on"
    else:
        return None
    return f"reused {reused:,} of {held:,} cells: {why}"
