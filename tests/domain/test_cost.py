import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.domain.cost import CostCurve, attention_pairs

CURVES = st.builds(
    CostCurve,
    k=st.floats(0, 1),
    a=st.floats(1e-6, 1e-1),
    b=st.floats(0, 1e-4),
    c=st.floats(0, 1),
    e=st.floats(0, 1e-4),
)
TOKENS = st.integers(1, 100_000)
DEPTHS = st.integers(0, 100_000)


def test_the_example_of_the_contract() -> None:
    assert attention_pairs(reused=700, total=812, layers=30) == 2_541_840


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 40))
def test_it_is_the_sum_of_positions(reused: int, evaluated: int, layers: int) -> None:
    total = reused + evaluated
    assert attention_pairs(reused, total, layers) == layers * sum(range(reused + 1, total + 1))


def test_a_curve_is_its_formula() -> None:
    curve = CostCurve(k=0.5, a=0.01, b=0.0001, c=0.02, e=0.00001)
    assert curve.prefill(100, 1000) == pytest.approx(0.5 + 100 * (0.01 + 0.0001 * 1050))
    assert curve.decode(1000) == pytest.approx(0.03)
    assert curve.prefill(0, 1000) == 0.0


@given(CURVES, TOKENS, TOKENS, DEPTHS)
def test_a_prompt_in_two_parts_costs_what_it_costs_whole_and_once_more_the_beginning(
    curve: CostCurve, first: int, second: int, depth: int
) -> None:
    parts = curve.prefill(first, depth) + curve.prefill(second, depth + first)
    assert parts == pytest.approx(curve.prefill(first + second, depth) + curve.k)


@given(CURVES, TOKENS, TOKENS, DEPTHS)
def test_what_is_left_and_what_was_paid_are_the_whole(
    curve: CostCurve, done: int, rest: int, depth: int
) -> None:
    paid = curve.prefill(done, depth)
    assert paid + curve.left(done, done + rest, depth) == pytest.approx(curve.prefill(done + rest, depth))
    assert curve.left(done + rest, done + rest, depth) == 0.0
    assert curve.left(0, rest, depth) == curve.prefill(rest, depth)


@given(CURVES, st.floats(0.01, 10), DEPTHS)
def test_what_can_be_read_in_a_time_takes_that_time(curve: CostCurve, seconds: float, depth: int) -> None:
    tokens = curve.readable(seconds, depth)
    assert curve.prefill(tokens, depth) - curve.k <= seconds * 1.001
    assert curve.prefill(tokens + 2, depth) - curve.k >= seconds * 0.999
