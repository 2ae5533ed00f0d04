"""What a prompt costs: in attention, and in seconds."""

from dataclasses import dataclass
from math import sqrt


def attention_pairs(reused: int, total: int, layers: int | None) -> int | None:
    """Positions attended to by the evaluated tokens of a prompt, over all layers; None where these are not
    known.

    The token at position p (from 1) attends to p positions; `reused` tokens are not evaluated.
    """
    return None if layers is None else (total - reused) * (reused + 1 + total) // 2 * layers


@dataclass(frozen=True, slots=True)
class CostCurve:
    """Seconds a model takes on one machine, as five coefficients, none below zero.

    `k` is paid once a prompt, `a` for each of its tokens, and `b` for each cell such a token
    attends to. A decoded token costs `c`, and `e` for each cell.
    """

    k: float
    a: float
    b: float
    c: float
    e: float

    def prefill(self, n: int, depth: int = 0) -> float:
        """Seconds to read `n` tokens behind `depth` cells; reading nothing costs nothing."""
        return self.k + n * (self.a + self.b * (depth + n / 2)) if n > 0 else 0.0

    def decode(self, depth: int) -> float:
        """Seconds to decode one token behind `depth` cells."""
        return self.c + self.e * depth

    def left(self, done: int, n: int, depth: int = 0) -> float:
        """Seconds that reading `n` tokens behind `depth` cells still takes once `done` are read."""
        return self.prefill(n - done, depth + done) - (self.k if done and n > done else 0.0)

    def readable(self, seconds: float, depth: int) -> int:
        """Tokens that can be read behind `depth` cells in so many seconds, without what is paid once."""
        linear = self.a + self.b * depth
        divisor = linear + sqrt(linear * linear + 2 * self.b * seconds)
        return int(2 * seconds / divisor) if divisor > 0 else 1 << 30
