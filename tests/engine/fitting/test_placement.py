"""How layers are split over devices."""

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.engine.llama.fitting.placement import in_proportion, one_by_one

shares = st.lists(st.integers(1, 100), min_size=1, max_size=5)


def test_layers_are_split_as_llama_cpp_does() -> None:
    assert in_proportion(33, (1, 1)) == (17, 16)
    assert in_proportion(33, (3, 1)) == (25, 8)
    assert in_proportion(3, (0, 1)) == (0, 3)
    assert in_proportion(0, (1, 1)) == (0, 0)
    assert in_proportion(5, ()) == ()


@given(st.integers(0, 200), shares)
def test_each_layer_lies_on_one_device_and_near_its_share(units: int, wanted: list[int]) -> None:
    counts = in_proportion(units, wanted)
    assert sum(counts) == units
    for count, share in zip(counts, wanted, strict=True):
        assert abs(count - units * share / sum(wanted)) <= 1


@given(st.integers(1, 200), shares)
def test_counts_that_are_told_as_shares_come_out_as_they_are(units: int, wanted: list[int]) -> None:
    counts = in_proportion(units, wanted)
    assert in_proportion(units, counts) == counts


@given(st.lists(st.integers(0, 50), max_size=20), st.lists(st.integers(0, 200), min_size=1, max_size=4))
def test_filling_one_before_the_next_fits_wherever_anything_does(sizes: list[int], room: list[int]) -> None:
    counts = one_by_one(sizes, room)
    assert (counts is not None) == _fits(tuple(sizes), tuple(room))
    at = 0
    for count, free in zip(counts or (), room, strict=bool(counts)):
        assert sum(sizes[at : at + count]) <= free
        at += count


def _fits(sizes: tuple[int, ...], room: tuple[int, ...]) -> bool:
    if not room:
        return not sizes
    ends = [end for end in range(len(sizes) + 1) if sum(sizes[:end]) <= room[0]]
    return any(_fits(sizes[end:], room[1:]) for end in ends)
