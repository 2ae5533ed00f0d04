"""Shapes and loads are found in timings with noise, outliers and drift."""

from collections.abc import Callable, Sequence
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxchat.engine.cost_curve import (
    KEPT,
    LOAD_SECONDS,
    Coefficients,
    Observation,
    Phase,
    fitted,
    thinned,
)
from ctxchat.engine.least_squares import nonnegative

RATIO = 4e-4
TRUE = Coefficients(once=0.05, token=0.0055, cell=2.2e-6)
MINUTE = 60.0
SIZES = ((300, 0), (90, 400), (2000, 0), (60, 2500), (150, 2700), (4000, 0), (80, 4200), (700, 0))
SHAPES = st.builds(
    Coefficients,
    once=st.floats(0, 0.2),
    token=st.floats(1e-4, 1e-1),
    cell=st.floats(1e-8, 1e-4),
)


def turns(shape: Coefficients, count: int, slow: Callable[[int], float], begin: int = 0) -> list[Observation]:
    """Turns of all sizes a minute apart; `slow` is by how much each takes longer."""
    return [
        Observation(n, depth, shape.seconds(n, depth) * slow(turn), turn * MINUTE)
        for turn in range(begin, begin + count)
        for n, depth in (SIZES[turn % len(SIZES)],)
    ]


def known(seen: Sequence[Observation]) -> Phase:
    phase = fitted(seen, ratio=RATIO, once=True)
    assert phase
    return phase


def error(phase: Phase, truth: Coefficients, n: int, depth: int) -> float:
    now = phase.now(phase.seen[-1].at)
    return abs(now.seconds(n, depth) / truth.seconds(n, depth) - 1)


@settings(deadline=None, max_examples=30)
@given(SHAPES)
def test_any_shape_is_found_again(shape: Coefficients) -> None:
    phase = known(turns(shape, 24, lambda _: 1.0))
    for n, depth in SIZES:
        assert error(phase, shape, n, depth) < 0.05


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_noise_and_outliers_do_not_lead_astray(seed: int) -> None:
    random = Random(seed)

    def slow(turn: int) -> float:
        return random.gauss(1, 0.05) * (random.uniform(3, 9) if turn % 7 == 3 else 1)

    phase = known(turns(TRUE, 40, slow))
    errors = [error(phase, TRUE, n, depth) for n, depth in (*SIZES, (6000, 0), (100, 7000))]
    assert median(errors) < 0.10
    assert max(errors) < 0.30


def test_a_machine_that_becomes_busy_is_believed_after_some_turns_and_not_after_one() -> None:
    idle = turns(TRUE, 24, lambda _: 1.0)
    one = known(idle + turns(TRUE, 1, lambda _: 2.5, begin=24))
    assert error(one, TRUE, 300, 0) < 0.15
    ten = known(idle + turns(TRUE, 10, lambda _: 2.5, begin=24))
    for n, depth in SIZES:
        assert error(ten, TRUE.times(2.5), n, depth) < 0.15


def test_the_load_is_forgotten_by_and_by() -> None:
    phase = known(turns(TRUE, 24, lambda _: 1.0) + turns(TRUE, 8, lambda _: 2.0, begin=24))
    end = phase.seen[-1].at
    soon, later = (phase.now(end + seconds).seconds(300, 0) for seconds in (0, 20 * LOAD_SECONDS))
    assert soon > 1.5 * later
    assert later == pytest.approx(phase.shape.seconds(300, 0), rel=0.01)


@settings(deadline=None, max_examples=30)
@given(st.floats(1.0, 1.03))
def test_a_slow_drift_is_followed(growth: float) -> None:
    seen = turns(TRUE, 60, lambda turn: growth**turn)
    truth = TRUE.times(growth**59)
    errors = [error(known(seen), truth, n, depth) for n, depth in SIZES]
    assert median(errors) < 0.2


def test_one_turn_tells_what_a_like_one_costs_and_presumes_the_depth() -> None:
    phase = known([Observation(400, 0, TRUE.seconds(400, 0), 0.0)])
    assert error(phase, TRUE, 400, 0) < 0.02
    assert error(phase, TRUE, 400, 4000) < 0.5


def test_nothing_seen_is_nothing_known() -> None:
    assert fitted([], ratio=RATIO, once=True) is None


def test_many_short_turns_do_not_push_out_a_long_one() -> None:
    long = Observation(6000, 0, TRUE.seconds(6000, 0), 0.0)
    short = [Observation(40, 300, TRUE.seconds(40, 300), 1.0 + turn) for turn in range(500)]
    kept = thinned([long, *short])
    assert long in kept
    assert short[-1] in kept
    assert len(kept) <= KEPT


@given(
    st.lists(st.builds(Observation, *(st.integers(1, 9000),) * 2, st.floats(1e-6, 1e4), st.floats(0, 1e9)))
)
@settings(deadline=None, max_examples=60)
def test_whatever_was_seen_no_prediction_is_below_zero_or_no_number(seen: list[Observation]) -> None:
    phase = fitted(seen, ratio=RATIO, once=True)
    assert (phase is None) == (not seen)
    if phase:
        now = phase.now(2e9)
        assert min(now.once, now.token, now.cell) >= 0
        assert 0 < now.seconds(100, 100) < float("inf")


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3))
def test_coefficients_that_would_be_below_zero_are_zero(wanted: list[float]) -> None:
    rows = [((1.0, 0.0, 0.0), wanted[0]), ((0.0, 1.0, 0.0), wanted[1]), ((0.0, 0.0, 1.0), wanted[2])]
    # One that is a millionth of another changes no error that a float can tell.
    assert nonnegative(rows, 3) == pytest.approx([max(value, 0) for value in wanted], abs=1e-6)
