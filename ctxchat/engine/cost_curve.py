"""From what work has cost to what it will cost: a shape, and how busy the machine is now."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import median

from ctxchat.engine.least_squares import Row, nonnegative

KEPT = 64
"""Observations that are kept in all, the newest, and `KEPT_ALIKE` of each size and depth: many short
turns must not push out what is known of long ones."""
KEPT_ALIKE = 8

ROUNDS, STEPS = 3, 4
"""How often load and shape are told apart, and how often outliers are weighed in each."""

LEAST_SPREAD = 0.03
"""Relative error that is noise on the quietest machine."""

PRIOR = 0.05
"""What is presumed of a shape weighs as much as a measurement that may be off by its whole value."""

OVERHEAD = 256
"""A prompt's fixed cost is presumed to be that of fewer tokens than this: on a GPU it is much."""

LOAD_STEPS, LOAD_SECONDS, LOAD_DOUBT = 3.0, 1800.0, 0.5
"""A busy machine stays busy: how far one observation speaks for its neighbours, by their number and by
the clock (half as much behind each), and how many must agree before it is half believed."""

MOST_LOAD = log(16)

ENOUGH_SECONDS = 1.0
"""Work that tells as much as any number of tokens."""


@dataclass(frozen=True, slots=True)
class Observation:
    """`n` tokens were evaluated behind `depth` cells in `seconds`; `at` is the time of day."""

    n: int
    depth: int
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Seconds as `once` + n·(`token` + `cell`·(depth + n/2)). Decoding has nothing that is paid once."""

    once: float
    token: float
    cell: float

    def seconds(self, n: float, depth: float) -> float:
        return self.once + n * (self.token + self.cell * (depth + n / 2))

    def times(self, factor: float) -> "Coefficients":
        return Coefficients(self.once * factor, self.token * factor, self.cell * factor)


@dataclass(frozen=True, slots=True)
class Phase:
    """What is known of prefill, or of decode: observations in their order, the shape fitted to them,
    and by how much, as a logarithm, the machine was busier than that at the end."""

    seen: tuple[Observation, ...]
    shape: Coefficients
    load: float

    def now(self, at: float) -> Coefficients:
        """What work costs at a time: the load that was seen last is forgotten by and by."""
        return self.shape.times(exp(self.load * 0.5 ** (max(at - self.seen[-1].at, 0) / LOAD_SECONDS)))


def fitted(observations: Iterable[Observation], *, ratio: float, once: bool) -> Phase | None:
    """The phase that explains observations best, None where there are none.

    `ratio` is what a cell is presumed to cost against a token, where depths do not tell; `once`
    says that something is paid once.
    """
    seen = thinned(observations)
    if not seen:
        return None
    near = [[_nearness(seen, i, j) for j in range(len(seen))] for i in range(len(seen))]
    loads = [0.0] * len(seen)
    shape = _shape(seen, loads, ratio, once=once)
    for _ in range(ROUNDS):
        rests = [_bounded(log(one.seconds / shape.seconds(one.n, one.depth))) for one in seen]
        loads = [_smoothed(weights, rests) for weights in near]
        shape = _shape(seen, loads, ratio, once=once)
    rests = [_bounded(log(one.seconds / shape.seconds(one.n, one.depth))) for one in seen]
    return Phase(seen, shape, _smoothed(near[-1], rests))


def tells(phase: Phase | None, enough: int) -> bool:
    """Whether so many tokens were seen, or a second of work, that something can be foretold."""
    if phase is None:
        return False
    tokens, seconds = sum(one.n for one in phase.seen), sum(one.seconds for one in phase.seen)
    return tokens >= enough or seconds >= ENOUGH_SECONDS


def thinned(observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """The newest of each size and depth, in their order."""
    alike: dict[tuple[int, int], int] = defaultdict(int)
    kept: list[Observation] = []
    for one in sorted(observations, key=lambda one: one.at, reverse=True):
        kind = (one.n.bit_length(), one.depth.bit_length())
        alike[kind] += 1
        if alike[kind] <= KEPT_ALIKE and len(kept) < KEPT:
            kept.append(one)
    return tuple(reversed(kept))


def _nearness(seen: Sequence[Observation], first: int, second: int) -> float:
    """How far the load at one observation speaks for that at another."""
    steps, seconds = abs(first - second), abs(seen[first].at - seen[second].at)
    return float(0.5 ** (steps / LOAD_STEPS + seconds / LOAD_SECONDS))


def _smoothed(weights: Sequence[float], rests: Sequence[float]) -> float:
    """The median of the rests, weighed, and drawn towards zero: one that stands alone moves nothing."""
    doubted = sorted(zip([*rests, 0.0], [*weights, LOAD_DOUBT], strict=True))
    reached, sums = 0.0, []
    for _, weight in doubted:
        reached += weight
        sums.append(reached)
    return doubted[bisect_left(sums, reached / 2)][0]


def _bounded(load: float) -> float:
    return max(-MOST_LOAD, min(MOST_LOAD, load))


def _shape(seen: Sequence[Observation], loads: Sequence[float], ratio: float, *, once: bool) -> Coefficients:
    """The coefficients under which all observations, freed of their loads, err least by proportion.
    What errs far more than the others counts little."""
    freed = [one.seconds / exp(load) for one, load in zip(seen, loads, strict=True)]
    token = median(
        seconds / (one.n * (1 + ratio * (one.depth + one.n / 2)))
        for one, seconds in zip(seen, freed, strict=True)
    )
    shape = Coefficients(0.0, token, token * ratio)
    for _ in range(STEPS):
        expected = [shape.seconds(one.n, one.depth) for one in seen]
        errors = [log(seconds / value) for seconds, value in zip(freed, expected, strict=True)]
        spread = max(LEAST_SPREAD, 1.48 * median(map(abs, errors)))
        rows: list[Row] = list(_presumed(token, ratio))
        for one, seconds, value, error in zip(seen, freed, expected, errors, strict=True):
            weight = 1 / (1 + (error / (2 * spread)) ** 2) ** 0.5 / value
            features = (weight * once, weight * one.n, weight * one.n * (one.depth + one.n / 2))
            rows.append((features, weight * seconds))
        shape = Coefficients(*nonnegative(rows, 3))
    return shape


def _presumed(token: float, ratio: float) -> Iterable[Row]:
    """That nothing is paid once, that a token costs what it seems to, and a cell its presumed share."""
    yield (PRIOR / (OVERHEAD * token), 0.0, 0.0), 0.0
    yield (0.0, PRIOR / token, 0.0), PRIOR
    yield (0.0, 0.0, PRIOR / (token * ratio)), PRIOR
