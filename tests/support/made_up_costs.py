"""Turns whose costs are made up: a true shape, and what a real machine does to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log
from random import Random

from ctxchat.engine.cost_curve import Coefficients, Observation, fitted

RATIO = 4e-4
TRUE = Coefficients(once=0.05, token=0.0055, cell=2.2e-6)
FOLDED, FULL = 400, 2400
"""Cells of the conversation behind a compaction, and where the next one is made."""

BUSY_FROM = 20
CALIBRATED = ((128, 0), (512, 0), (128, 4096))
SPACING = 20.0


@dataclass(frozen=True, slots=True)
class Machine:
    """How far the clock's times are off: each by `noise`, as a logarithm, by a load that wanders by `drift` a
    turn, by `busy` times from turn `BUSY_FROM` on, and one in three by a stall of about `stall` seconds."""

    noise: float = 0.0
    drift: float = 0.0
    busy: float = 1.0
    stall: float = 0.0


MACHINES = {
    "white": Machine(noise=0.08),
    "drift": Machine(noise=0.04, drift=0.04),
    "busy": Machine(noise=0.15, busy=2.3),
    "stalls": Machine(noise=0.04, stall=0.05),
}


def work(seed: int, turns: int) -> Iterator[tuple[int, int]]:
    """Tokens and depths: short turns of a conversation that is folded now and then, prompts of any size
    between them."""
    order, depth = Random(seed), FOLDED
    for _ in range(turns):
        if order.random() < 0.2:
            yield int(exp(order.uniform(log(32), log(6000)))), 28
            continue
        n = order.randint(20, 60)
        yield n, depth
        depth = depth + n + order.randint(8, 64)
        if depth > FULL:
            yield order.randint(300, 700), FOLDED // 2
            depth = FOLDED


def errors(machine: Machine, seed: int, turns: int = 60) -> list[float]:
    """By what share each turn was foretold wrongly, each by what was learned before it."""
    order, load, at = Random(f"{seed} {machine}"), 0.0, 0.0
    seen = [_timed(machine, order, n, depth, 0.0, at) for n, depth in CALIBRATED]
    found = []
    for turn, (n, depth) in enumerate(work(seed, turns)):
        at += SPACING
        load += order.gauss(0, machine.drift)
        step = log(machine.busy) if turn >= BUSY_FROM else 0.0
        one = _timed(machine, order, n, depth, load + step, at)
        phase = fitted(seen, ratio=RATIO, once=True)
        assert phase
        found.append(abs(phase.now(at).seconds(n, depth) / one.seconds - 1))
        seen = [*phase.seen, *_milestones(one)]
    return found


def _timed(machine: Machine, order: Random, n: int, depth: int, load: float, at: float) -> Observation:
    seconds = TRUE.seconds(n, depth) * exp(load + order.gauss(0, machine.noise))
    stalls = order.expovariate(1 / machine.stall) if machine.stall and order.random() < 0.3 else 0.0
    return Observation(n, depth, seconds + stalls, at)


def _milestones(one: Observation) -> list[Observation]:
    """A long prompt tells what it costs on the way too."""
    sizes = [512 * 2**step for step in range(9) if 512 * 2**step < one.n]
    slow = one.seconds / TRUE.seconds(one.n, one.depth)
    parts = [Observation(n, one.depth, slow * TRUE.seconds(n, one.depth), one.at) for n in sizes]
    return [*parts, one]
