"""A process that adds observations to a record, one after the other: PATH FIRST TIMES."""

import sys
from pathlib import Path

from ctxchat.engine.cost_curve import Coefficients, Observation, Phase
from ctxchat.engine.cost_record import Known, change, read


def seen_with(path: Path, threads: int = 1) -> tuple[Observation, ...]:
    """What a record says was seen with so many threads."""
    phase = read(path).prefill.get(threads)
    return phase.seen if phase else ()


def add(path: Path, n: int) -> None:
    def added(known: Known) -> Known:
        before = known.prefill[1].seen if 1 in known.prefill else ()
        seen = (*before, Observation(n, 0, 1.0, float(n)))
        return Known({1: Phase(seen, Coefficients(0.1, 0.1, 0.0), 0.0)}, {})

    change(path, added)


if __name__ == "__main__":
    first, times = map(int, sys.argv[2:])
    for size in range(first, first + times):
        add(Path(sys.argv[1]), size)
