"""Work that is done to see what it costs."""

from dataclasses import dataclass

CALIBRATION_SECONDS = 10.0
"""What a calibration may take."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """Tokens read so far, and to read in all."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Measured:
    """`n` tokens were read from nothing in `prefill` seconds, and one decoded behind them in `decode`.

    Their cells were written to disk in `save` seconds, and verified and put back in `restore`; None where
    they cannot be kept.
    """

    n: int
    prefill: float
    decode: float
    save: float | None = None
    restore: float | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a calibration has seen: work behind up to `depth` cells, in `seconds` in all. What lies
    between `depth` and `window` is extrapolated. `threads` are those that read and that decode best."""

    depth: int
    window: int
    seconds: float
    threads: tuple[int, int]
