"""What work has cost, kept in the cache folder: a small file for each way a model is run."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from ctxchat.domain.errors import StoreError
from ctxchat.domain.speculation import BatchCosts
from ctxchat.engine.cost_curve import Coefficients, Observation, Phase
from ctxchat.locations import private_folder

FORMAT = 1

Phases = Mapping[int, Phase]
"""What is known of a phase, by the number of its threads."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a model as it is run here. Restoring is a phase without threads: `n` tokens come
    back from disk. What `batches` cost is known by the numbers of threads that read and that decode."""

    prefill: Phases
    decode: Phases
    restore: Phase | None = None
    batches: Mapping[tuple[int, int], BatchCosts] = field(default_factory=dict)


NOTHING = Known({}, {})


def read(path: Path) -> Known:
    """What a file says; where it is missing, damaged or of another format, nothing is known."""
    try:
        kept = json.loads(path.read_bytes())
        if kept["format"] != FORMAT:
            return NOTHING
        restore = kept.get("restore")
        return Known(
            _phases(kept["prefill"]),
            _phases(kept["decode"]),
            None if restore is None else _phase(restore),
            dict(map(_batches, kept.get("batches", ()))),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return NOTHING


def change(path: Path, change: Callable[[Known], Known]) -> Known:
    """Change what a file says, one process after the other, and return it. A file that cannot be
    written is left as it is: the cost of work is known to this process alone then."""
    with _alone(path.parent):
        known = change(read(path))
        with suppress(OSError):
            _write(path, known)
        return known


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which goes with the process; without one where it cannot be had."""
    descriptor = None
    with suppress(OSError, StoreError):
        descriptor = os.open(private_folder(folder), os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _write(path: Path, known: Known) -> None:
    kept = {
        "format": FORMAT,
        "prefill": _kept(known.prefill),
        "decode": _kept(known.decode),
        "restore": _kept_phase(known.restore) if known.restore else None,
        "batches": [(*threads, costs.measured) for threads, costs in known.batches.items()],
    }
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(kept), encoding="ascii")
    temporary.replace(path)


def _kept(phases: Phases) -> dict[str, object]:
    return {str(threads): _kept_phase(phase) for threads, phase in phases.items()}


def _kept_phase(phase: Phase) -> dict[str, object]:
    return {
        "shape": astuple(phase.shape),
        "load": phase.load,
        "seen": [astuple(one) for one in phase.seen],
    }


def _phases(kept: Mapping[str, Mapping[str, object]]) -> Phases:
    return {int(threads): _phase(phase) for threads, phase in kept.items()}


def _batches(kept: object) -> tuple[tuple[int, int], BatchCosts]:
    """Raises ValueError for numbers that cannot have been measured."""
    *threads, measured = _list(kept)
    reading, decoding = map(int, _numbers(threads, 2))
    pairs = [(int(n), cost) for n, cost in (_numbers(pair, 2) for pair in _list(measured))]
    sizes = [n for n, _ in pairs]
    if sizes != sorted(set(sizes)) or pairs[0] != (1, 1.0) or min(cost for _, cost in pairs) <= 0:
        raise ValueError("no batches")
    return (reading, decoding), BatchCosts(tuple(pairs))


def _phase(kept: Mapping[str, object]) -> Phase:
    """Raises ValueError for numbers that cannot have been measured."""
    seen = tuple(_observation(row) for row in _list(kept["seen"]))
    shape, load = _numbers(kept["shape"], 3), _numbers([kept["load"]], 1)[0]
    if not seen or min(shape) < 0 or not any(shape):
        raise ValueError("no shape")
    return Phase(seen, Coefficients(*shape), load)


def _observation(kept: object) -> Observation:
    n, depth, seconds, at = _numbers(kept, 4)
    if n < 1 or depth < 0 or seconds <= 0:
        raise ValueError("no observation")
    return Observation(int(n), int(depth), seconds, at)


def _numbers(kept: object, count: int) -> Sequence[float]:
    numbers = [float(number) for number in _list(kept)]
    if len(numbers) != count or not all(map(isfinite, numbers)):
        raise ValueError("no numbers")
    return numbers


def _list(kept: object) -> list[Any]:
    if not isinstance(kept, list):
        raise TypeError("no list")
    return kept
