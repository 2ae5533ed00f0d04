"""Amounts are read at a glance."""

import pytest

from ctxchat.display.amounts import many


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1 k"),
        (3_939_840, "3.94 M"),
        (999_499, "999 k"),
        (999_500, "1 M"),
        (1_006_755_840, "1.01 G"),
        (5_000_000_000_000, "5 T"),
    ],
)
def test_a_large_count_is_told_in_three_digits(number: int, said: str) -> None:
    assert many(number) == said
