"""What turns cost is foretold as well as it should be on machines of several kinds, over made-up turns."""

from statistics import median, quantiles

import pytest

from tests.support.made_up_costs import BUSY_FROM, MACHINES, errors

SEEDS = range(3)
CORRECTION = range(BUSY_FROM, BUSY_FROM + 10)
"""Turns in which a machine that became busy is found out."""


@pytest.mark.parametrize(
    ("machine", "middle", "most"),
    [("white", 0.08, 0.20), ("drift", 0.08, 0.20), ("stalls", 0.08, 0.25), ("busy", 0.15, 0.35)],
)
def test_errors_stay_small(machine: str, middle: float, most: float) -> None:
    found = [
        error
        for seed in SEEDS
        for turn, error in enumerate(errors(MACHINES[machine], seed))
        if machine != "busy" or turn not in CORRECTION
    ]
    assert median(found) < middle
    assert quantiles(found, n=10)[-1] < most
