"""Tokens that are drafted before the model is asked: what checking them costs, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass

MARGIN = 1.1
"""Tokens are drafted where by so much more is expected in the same time: less is within what measuring
a batch errs by."""

LEAST_BEST = 1.3
"""What right drafts alone must gain: looking for drafts takes some hundredths of decoding by itself."""


@dataclass(frozen=True, slots=True)
class BatchCosts:
    """What evaluating several tokens at once costs, counted in tokens decoded one by one: `measured` are
    pairs of a number of tokens and its cost, from one token on, which costs 1."""

    measured: tuple[tuple[int, float], ...]

    @property
    def largest(self) -> int:
        return self.measured[-1][0]

    @property
    def best(self) -> float:
        """Tokens that are gained for one where every draft is right: above 1 drafts can pay."""
        return max(n / cost for n, cost in self.measured)

    @property
    def pays(self) -> bool:
        return self.best >= LEAST_BEST

    def of(self, n: int) -> float:
        """The cost of `n` tokens, at most the `largest`; what was not measured lies on a line between."""
        below = max(pair for pair in self.measured if pair[0] <= n)
        above = min(pair for pair in self.measured if pair[0] >= n)
        if below == above:
            return below[1]
        return below[1] + (above[1] - below[1]) * (n - below[0]) / (above[0] - below[0])

    def gains(self, chances: Iterable[float]) -> list[float]:
        """Tokens that are expected for the time of one with a draft of one token, of two, and so on: each
        is right by its chance, once all before it were."""
        reached, expected, gains = 1.0, 1.0, []
        for drafted, chance in enumerate(chances, 1):
            reached *= chance
            expected += reached
            gains.append(expected / self.of(1 + drafted))
        return gains

    def least_share(self) -> float | None:
        """The share of drafted tokens, in hundredths, that must be right for drafts to pay; None where
        none would."""
        longest = self.largest - 1
        shares = (percent / 100 for percent in range(1, 101))
        return next((share for share in shares if max(self.gains([share] * longest), default=0) > 1), None)


@dataclass(frozen=True, slots=True)
class Speculated:
    """What drafts did for an answer: tokens `drafted`, and `accepted` because the model chose the same.
    `gain` is by what its decoding was quickened, by the calibrated costs of batches: below 1 it was
    slowed down; None where they are not known."""

    drafted: int
    accepted: int
    gain: float | None
