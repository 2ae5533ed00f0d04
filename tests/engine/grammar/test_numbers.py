"""Numbers within bounds are exactly those, digit by digit."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.engine.grammar.follower import Grammar
from ctxchat.engine.grammar.numbers import Bounds, integers, numbers

BOUND = st.none() | st.integers(-2000, 2000).map(Fraction)
DECIMAL = st.none() | st.decimals(-50, 50, places=2).map(Fraction)
WRITTEN = st.decimals(-60, 60, places=4).map(lambda number: f"{number.normalize():f}")


def within(bounds: Bounds, value: Fraction) -> bool:
    above = bounds.low is None or value > bounds.low or (value == bounds.low and not bounds.low_open)
    return above and (
        bounds.high is None or value < bounds.high or (value == bounds.high and not bounds.high_open)
    )


def allows(body: str | None, text: str) -> bool:
    return body is not None and Grammar(f"root ::= {body}").allows(text)


@given(BOUND, BOUND, st.booleans(), st.booleans(), st.integers(-2100, 2100))
def test_an_integer_is_allowed_where_it_is_within_bounds(
    low: Fraction | None, high: Fraction | None, low_open: bool, high_open: bool, value: int
) -> None:
    bounds = Bounds(low, high, low_open, high_open)
    assert allows(integers(bounds), str(value)) == within(bounds, Fraction(value))


@given(DECIMAL, DECIMAL, st.booleans(), st.booleans(), WRITTEN)
def test_no_number_outside_its_bounds_is_allowed(
    low: Fraction | None, high: Fraction | None, low_open: bool, high_open: bool, text: str
) -> None:
    bounds = Bounds(low, high, low_open, high_open)
    assert within(bounds, Fraction(Decimal(text))) or not allows(numbers(bounds), text)


@given(DECIMAL, DECIMAL, st.decimals(-50, 50, places=1))
def test_a_number_of_few_digits_within_closed_bounds_is_allowed(
    low: Fraction | None, high: Fraction | None, value: Decimal
) -> None:
    bounds = Bounds(low, high)
    number = abs(value) if value == 0 else value
    if within(bounds, Fraction(number)):
        assert allows(numbers(bounds), f"{number.normalize():f}")


def test_bounds_between_which_there_is_nothing_have_no_rule() -> None:
    assert integers(Bounds(Fraction(3, 2), Fraction(7, 4))) is None
    assert numbers(Bounds(Fraction(2), Fraction(1))) is None


def test_a_number_is_written_as_json_wants_it() -> None:
    body = integers(Bounds(Fraction(0), Fraction(20)))
    assert not any(allows(body, text) for text in ("007", "+1", "1.0", "", "-"))
