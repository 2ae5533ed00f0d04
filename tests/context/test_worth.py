"""What is worth giving up, by curves that are made up."""

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.budget import Budget, budget_for, is_due, turn_tokens
from ctxchat.context.worth import GIVEN_SHARE, is_worth_folding, pace, worth_giving_back
from ctxchat.domain.conversation import Section
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.prompt import Piece, Prompt, SegmentKey

Turn = tuple[int, int, int]
"""Tokens of notes, question and answer."""

DEPTH_IS_FREE = CostCurve(k=0.1, a=0.001, b=0.0, c=0.01, e=0.0)
DEPTH_IS_DEAR = CostCurve(k=0.0, a=0.00001, b=0.001, c=0.0001, e=0.01)


def prompt(turns: list[Turn], *, system: int = 10, summarized: int = 0) -> Prompt:
    pieces = [Piece(Section.SYSTEM, "", (1,) * system)]
    for number, (notes, question, answer) in enumerate(turns, start=summarized + 1):
        asked, answered = f"q{number}", f"a{number}"
        key = SegmentKey(asked, 0)
        pieces += [
            Piece(Section.NOTES, "", (1,) * notes, key, owner=asked, turn=number),
            Piece(Section.HISTORY, "", (1,) * question, key, owner=asked, turn=number),
            Piece(Section.HISTORY, "", (1,) * answer, key, owner=answered, turn=number),
            Piece(Section.TEMPLATE, "", (1, 1)),
        ]
    return Prompt(
        tuple(pieces),
        window=1 << 20,
        reserve=64,
        verbatim_turns=len(turns),
        summarized_turns=summarized,
    )


def budget(usable: int) -> Budget:
    return budget_for(usable, compact_at=0.8, compact_to=0.45)


seconds = st.floats(0, 0.1, allow_subnormal=False)
curves = st.builds(CostCurve, seconds, seconds, seconds, seconds, seconds)
turns = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 90), st.integers(1, 200)), min_size=1, max_size=40
)


def test_the_pace_is_that_of_the_recent_turns() -> None:
    now = pace(prompt([(0, 900, 900), *[(10, 20, 68)] * 7, (10, 40, 148)], summarized=3))
    assert (now.largest, now.decoded) == (200, (7 * 68 + 148) / 8)
    assert now.turn == (7 * 100 + 200) / 8
    assert pace(prompt([])).largest == 0


def test_where_depth_costs_nothing_folding_waits_until_the_next_turn_might_not_fit() -> None:
    at = budget(1000)
    waiting = prompt([(0, 20, 28)] * 16, system=35)
    assert is_due(waiting, at)
    assert not is_worth_folding(waiting, at, DEPTH_IS_FREE)
    assert is_worth_folding(prompt([(0, 20, 28)] * 18, system=35), at, DEPTH_IS_FREE)


def test_where_depth_is_dear_folding_waits_for_nothing() -> None:
    at = budget(8000)
    due = prompt([(0, 20, 28)] * 130, system=35)
    assert is_due(due, at)
    assert is_worth_folding(due, at, DEPTH_IS_DEAR)
    assert not is_worth_folding(due, at, DEPTH_IS_FREE)


@given(turns, st.integers(200, 6000), curves)
def test_waiting_never_leaves_a_next_turn_of_the_recent_size_without_room(
    turns: list[Turn], usable: int, curve: CostCurve
) -> None:
    at, now = budget(usable), prompt(turns)
    if is_due(now, at) and not is_worth_folding(now, at, curve):
        assert now.total + 2 * max(turn_tokens(now)[-8:]) <= usable


@given(turns, st.integers(200, 6000), curves, st.floats(1.0, 100.0))
def test_a_slower_machine_of_the_same_shape_decides_the_same(
    turns: list[Turn], usable: int, curve: CostCurve, factor: float
) -> None:
    at, now = budget(usable), prompt(turns)
    free = CostCurve(curve.k * factor, curve.a * factor, 0.0, curve.c * factor, 0.0)
    if is_due(now, at) and is_worth_folding(now, at, free):
        assert usable - now.total < 2 * max(turn_tokens(now)[-8:])


def test_notes_are_given_back_where_carrying_them_costs_more_than_reading_again() -> None:
    now, at = prompt([(300, 20, 28), (200, 20, 28), (50, 20, 28)]), budget(2000)
    assert worth_giving_back(now, at, DEPTH_IS_DEAR) == "q2"
    assert worth_giving_back(now, at, DEPTH_IS_FREE) is None


def test_of_several_that_is_chosen_which_saves_most() -> None:
    """Of two behind a long text, giving the second back too means reading little of it again."""
    now, at = prompt([(600, 20, 28), (1, 1, 400), (30, 20, 28)]), budget(2000)
    curve = CostCurve(k=0.0, a=0.01, b=0.0, c=0.01, e=0.0005)
    begin = 10
    turns = (at.trigger - now.total) / pace(now).turn
    saved = [turns * cells * pace(now).decoded * curve.e for cells in (600, 601)]
    costs = [curve.prefill(now.total - begin - cells, begin) for cells in (600, 601)]
    gains = [saving - cost for saving, cost in zip(saved, costs, strict=True)]
    assert worth_giving_back(now, at, curve) == ("q2" if gains[1] > gains[0] else "q1")
    assert max(gains) > 0


def test_notes_that_take_little_stay_and_those_of_the_last_turn_always() -> None:
    assert worth_giving_back(prompt([(30, 20, 28), (0, 20, 28)]), budget(2000), DEPTH_IS_DEAR) is None
    assert worth_giving_back(prompt([(0, 20, 28), (900, 20, 28)]), budget(2000), DEPTH_IS_DEAR) is None
    assert worth_giving_back(prompt([]), budget(2000), DEPTH_IS_DEAR) is None


@given(turns, st.integers(200, 6000), curves)
def test_only_notes_of_past_turns_are_given_back_and_only_those_that_save(
    turns: list[Turn], usable: int, curve: CostCurve
) -> None:
    now = prompt(turns)
    until = worth_giving_back(now, budget(usable), curve)
    past = sum(notes for notes, _, _ in turns[:-1])
    if until:
        assert past > GIVEN_SHARE * usable
        assert int(until[1:]) < len(turns)
        assert turns[int(until[1:]) - 1][0] > 0
        assert curve.b > 0 or curve.e > 0
