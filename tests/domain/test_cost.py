from hypothesis import given
from hypothesis import strategies as st

from ctxchat.domain.cost import attention_pairs


def test_the_example_of_the_contract() -> None:
    assert attention_pairs(reused=700, total=812, layers=30) == 2_541_840


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 40))
def test_it_is_the_sum_of_positions(reused: int, evaluated: int, layers: int) -> None:
    total = reused + evaluated
    assert attention_pairs(reused, total, layers) == layers * sum(range(reused + 1, total + 1))
