"""When the likeliest tokens stand for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log

from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.candidates import REFUSED
from ctxchat.engine.llama.sampler import penalizes

MOST_TOKENS = 1 << 19
"""More than any vocabulary holds."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Sampling options that cut tokens which are not likely, so that those need not be looked at."""

    top_k: int
    top_p: float
    min_p: float

    @classmethod
    def of(cls, sampling: Sampling) -> "Narrowing | None":
        """None for options that look at more than the likeliest, or change which they are."""
        if penalizes(sampling):
            return None
        if sampling.temperature <= 0:
            return cls(1, 1, 0)
        return cls(sampling.top_k, sampling.top_p, sampling.min_p) if sampling.typical_p >= 1 else None

    def suffices(self, logits: Sequence[float], least: float) -> bool:
        """Whether tokens below `least`, which were not looked at, would change nothing."""
        left = sorted((logit for logit in logits if logit != REFUSED), reverse=True)
        if 0 < self.top_k <= len(left):
            return True
        if not left or self.min_p <= 0 or left[0] + log(self.min_p) <= least:
            return False
        unseen = (self.top_k or MOST_TOKENS) * exp(least - left[0])
        weights = [exp(logit - left[0]) for logit in left]
        return self.top_p >= 1 or self._kept(weights, 0) == self._kept(weights, unseen)

    def _kept(self, weights: Sequence[float], unseen: float) -> int:
        """How many top-p keeps where others weigh so much."""
        enough = self.top_p * (sum(weights) + unseen)
        return sum(reached < enough for reached in accumulate(weights))
