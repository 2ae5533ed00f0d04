"""The mirror of the cells."""

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.engine.llama.cells import CHAT, SEQUENCES, Cells
from ctxchat.engine.prefix import common_prefix

ids = st.lists(st.integers(0, 3), min_size=1, max_size=12)


def holding(*tokens: int, trims: bool = True) -> Cells:
    cells = Cells(trims=trims)
    cells.add(CHAT, tokens)
    return cells


@given(ids, ids)
def test_a_plan_reuses_the_longest_common_prefix_but_the_last_token(
    held: list[int], asked: list[int]
) -> None:
    plan = holding(*held).plan(asked, 256)
    assert held[: plan.reused] == asked[: plan.reused]
    assert plan.evaluated == len(asked) - plan.reused >= 1
    longer = plan.reused + 1
    assert longer == len(asked) or held[:longer] != asked[:longer]


@given(ids, ids)
def test_a_plan_says_how_far_prompt_and_cells_agree(held: list[int], asked: list[int]) -> None:
    plan = holding(*held).plan(tuple(asked), 256)
    assert (plan.agreed, plan.held) == (common_prefix(held, asked), len(held))


@given(ids, ids)
def test_a_cache_that_cannot_be_cut_is_reused_whole_or_not_at_all(held: list[int], asked: list[int]) -> None:
    plan = holding(*held, trims=False).plan(asked, 256)
    assert plan.reused in (0, len(held))
    assert plan.reused == 0 or asked[: len(held)] == held


def test_a_cache_that_cannot_be_cut_agrees_with_more_than_is_reused() -> None:
    plan = holding(1, 2, 3, 4, trims=False).plan((1, 2, 3, 9), 256)
    assert (plan.reused, plan.agreed, plan.held) == (0, 3, 4)


def test_a_fork_is_a_copy_that_goes_its_own_way() -> None:
    cells = holding(1, 2, 3)
    cells.fork(CHAT, 1, 2)
    cells.add(1, (9,))
    cells.keep(CHAT, 1)
    assert [cells.count(sequence) for sequence in range(SEQUENCES)] == [1, 3, 0, 0]


def test_all_sequences_can_be_emptied() -> None:
    cells = holding(1, 2, 3)
    cells.fork(CHAT, 3, 3)
    cells.clear()
    assert [cells.count(sequence) for sequence in range(SEQUENCES)] == [0, 0, 0, 0]
