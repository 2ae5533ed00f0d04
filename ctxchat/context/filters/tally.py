"""How many tokens the versions of a text have, each counted once."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from ctxchat.domain.receipt import FilterStep

Count = Callable[[str], int]
"""The tokens of a text. It may be costly: 2 to 9 MB a second."""

COUNTED_WHOLE = 1_000_000
"""Characters up to which a text is counted and not estimated."""

_PARTS = 8


class Tally:
    """Counts texts, and estimates those that are very long from eight parts of them."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._known: dict[str, int] = {}
        self._estimated: dict[str, int] = {}

    def exact(self, text: str) -> int:
        if text not in self._known:
            self._known[text] = self._count(text)
        return self._known[text]

    def __call__(self, text: str) -> tuple[int, bool]:
        """The tokens of a text, and whether they were counted."""
        if len(text) <= COUNTED_WHOLE or text in self._known:
            return self.exact(text), True
        if text not in self._estimated:
            self._estimated[text] = self._estimate(text)
        return self._estimated[text], False

    def _estimate(self, text: str) -> int:
        size = COUNTED_WHOLE // (2 * _PARTS)
        starts = range(0, len(text) - size, len(text) // _PARTS)
        parts = [text[start : start + size] for start in starts]
        return round(sum(map(self._count, parts)) * len(text) / sum(map(len, parts)))

    def steps(self, versions: Sequence[tuple[str, str]]) -> tuple[FilterStep, ...]:
        """What each rule made of the version before it; the first one is the text itself."""
        counted = [(rule, *self(text)) for rule, text in versions]
        return tuple(
            FilterStep(rule, before, after, exact and still_exact)
            for (_, before, exact), (rule, after, still_exact) in pairwise(counted)
        )
