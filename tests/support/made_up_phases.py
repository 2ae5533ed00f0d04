"""What a token costs in a phase, made up."""

import time

from ctxchat.engine.cost_curve import Coefficients, Observation, Phase


def phase(seconds: float, load: float = 0.0, at: float | None = None) -> Phase:
    """A token costs so many seconds; it was seen just now."""
    seen = Observation(128, 0, 128 * seconds, time.time() if at is None else at)
    return Phase((seen,), Coefficients(0.0, seconds, 0.0), load)
