from hypothesis import given
from hypothesis import strategies as st

from ctxchat.tui.meters.cells import apportioned

PARTS = st.lists(st.integers(0, 200_000), min_size=1, max_size=11).filter(any)


@given(PARTS, st.integers(0, 120))
def test_the_cells_of_a_bar_add_up_to_its_width(parts: list[int], width: int) -> None:
    assert sum(apportioned(parts, width)) == width


@given(PARTS, st.integers(11, 120))
def test_every_part_that_is_there_can_be_seen_and_no_other(parts: list[int], width: int) -> None:
    assert [bool(cells) for cells in apportioned(parts, width)] == [bool(part) for part in parts]


@given(PARTS, st.integers(11, 120))
def test_a_larger_part_never_has_fewer_cells(parts: list[int], width: int) -> None:
    cells = [cells for _, cells in sorted(zip(parts, apportioned(parts, width), strict=True))]
    assert cells == sorted(cells)


def test_a_bar_is_exactly_proportional_where_that_is_possible() -> None:
    assert apportioned([1, 2, 0, 5], 16) == [2, 4, 0, 10]


def test_the_largest_remainders_get_the_cells_that_are_left() -> None:
    assert apportioned([47_000, 16_000, 15_900, 12_000, 6_000, 3_100], 10) == [4, 2, 1, 1, 1, 1]


def test_nothing_at_all_has_no_cells() -> None:
    assert apportioned([0, 0], 20) == [0, 0]


def test_the_largest_are_seen_where_there_are_fewer_cells_than_parts() -> None:
    assert apportioned([1, 9, 1, 8], 2) == [0, 1, 0, 1]
