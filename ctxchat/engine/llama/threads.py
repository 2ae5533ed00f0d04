"""How many threads read a prompt, and how many write an answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threads:
    """Threads of the two phases; both are at least one and at most the cores there are."""

    prefill: int
    decode: int


def choose_threads(cores: int, *, prefill: int | None = None, decode: int | None = None) -> Threads:
    """What was asked for, capped at `cores`; what was not, by what each phase gains from threads.

    A slice of a prompt keeps a thread busy for milliseconds between two meetings, so every core
    helps, also on a busy machine. A single token has its threads meet hundreds of times: a core
    they must share with the terminal, or with any other process, holds all of them up, so one is
    left free.
    """
    return Threads(prefill=_within(cores, prefill, cores), decode=_within(cores, decode, cores - 1))


def _within(cores: int, asked: int | None, otherwise: int) -> int:
    return max(1, min(cores, otherwise if asked is None else asked))
