"""What drafts gain, by what checking them costs."""

import pytest

from ctxchat.domain.speculation import BatchCosts

FREE = BatchCosts(((1, 1.0), (2, 1.0), (4, 1.1), (8, 1.3)))
"""Weights that are read from memory once, for however many tokens."""
DEAR = BatchCosts(((1, 1.0), (4, 4.1), (8, 7.8)))


def test_what_was_not_measured_lies_on_a_line_between() -> None:
    assert [DEAR.of(n) for n in (1, 2, 4, 6)] == pytest.approx([1.0, 1 + 3.1 / 3, 4.1, 5.95])


def test_drafts_pay_where_checking_many_costs_little_and_not_where_it_costs_as_much_as_decoding() -> None:
    assert FREE.pays
    assert FREE.best == pytest.approx(8 / 1.3)
    assert not DEAR.pays
    assert DEAR.least_share() == 1.0
    assert BatchCosts(((1, 1.0), (2, 2.0))).least_share() is None


def test_the_gain_of_each_length_of_a_draft_counts_that_all_before_it_must_be_right() -> None:
    assert FREE.gains([0.5, 0.5, 1.0]) == pytest.approx([1.5, 1.75 / 1.05, 2.0 / 1.1])
    assert FREE.gains([]) == []
    assert FREE.least_share() == 0.01
