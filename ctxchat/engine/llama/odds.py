"""How often what was looked up was right in an answer so far."""

from collections import defaultdict

from ctxchat.engine.lookup import LONGEST

MEMORY = 0.97
"""What an observation weighs against the one behind it: some thirty of them count."""

PRIOR = 3.0
"""Observations that what is presumed weighs as much as."""


class Odds:
    """The chances that looked-up tokens come, by how many tokens before them agree.

    They begin anew with each answer: what is drafted then depends on the prompt and the answer alone,
    and is the same in another process.
    """

    def __init__(self) -> None:
        self._right: dict[int, float] = defaultdict(float)
        self._seen: dict[int, float] = defaultdict(float)

    def saw(self, agreed: int, *, right: bool) -> None:
        """Note whether a token came that was looked up where so many agreed."""
        kind = min(agreed, LONGEST)
        self._right[kind] = MEMORY * self._right[kind] + right
        self._seen[kind] = MEMORY * self._seen[kind] + 1

    def chance(self, agreed: int) -> float:
        """The share of such tokens that comes, presumed to rise with what agrees."""
        kind = min(agreed, LONGEST)
        presumed = kind / (kind + 2)
        return (self._right[kind] + PRIOR * presumed) / (self._seen[kind] + PRIOR)
