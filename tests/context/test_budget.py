import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.budget import budget_for, is_due, turn_tokens, turns_to_fold
from ctxchat.domain.conversation import Section
from ctxchat.domain.prompt import Piece, Prompt


def prompt(turns: list[int], *, system: int = 10, question: int = 0, reserve: int = 64) -> Prompt:
    """A prompt whose past turns have so many tokens each, two of them scaffold."""
    pieces = [Piece(Section.SYSTEM, "", (1,) * system)]
    for number, tokens in enumerate(turns, start=1):
        pieces += [
            Piece(Section.HISTORY, "", (1,) * (tokens - 2), turn=number),
            Piece(Section.TEMPLATE, "", (1, 1)),
        ]
    pieces.append(Piece(Section.QUESTION, "", (1,) * question, turn=len(turns) + 1))
    return Prompt(tuple(pieces), window=1024, reserve=reserve, verbatim_turns=len(turns))


def test_each_turn_is_counted_with_the_scaffold_behind_it() -> None:
    assert turn_tokens(prompt([30, 20, 50], question=7)) == [30, 20, 50]


@pytest.mark.parametrize("window", [1024, 2048, 4096, 8192, 131_072])
def test_every_part_is_a_share(window: int) -> None:
    budget = budget_for(window, compact_at=0.8, compact_to=0.45)
    assert budget.trigger == pytest.approx(0.8 * window, abs=1)
    assert budget.landing == pytest.approx(0.45 * window, abs=1)
    assert budget.block < budget.blocks < budget.landing


def test_the_oldest_turns_are_folded_until_the_landing() -> None:
    budget = budget_for(1000, compact_at=0.8, compact_to=0.45)
    full = prompt([100] * 9)
    count = turns_to_fold(full, budget, keep=1)
    assert full.total - 100 * count + budget.block <= budget.landing
    assert full.total - 100 * (count - 1) + budget.block > budget.landing


def test_the_last_turn_is_kept_unless_that_is_not_enough() -> None:
    budget = budget_for(300, compact_at=0.8, compact_to=0.45)
    assert turns_to_fold(prompt([50, 400]), budget, keep=1) == 1
    assert turns_to_fold(prompt([50, 400]), budget, keep=0) == 2
    assert turns_to_fold(prompt([]), budget, keep=0) == 0


def test_a_compaction_is_due_past_the_trigger_where_it_reaches_the_landing() -> None:
    budget = budget_for(1000, compact_at=0.8, compact_to=0.45)
    assert not is_due(prompt([100] * 7), budget)
    assert is_due(prompt([100] * 9), budget)
    assert not is_due(prompt([100] * 4, system=450), budget)


@given(st.lists(st.integers(3, 200), max_size=40), st.integers(100, 4000), st.integers(0, 1))
def test_never_more_turns_are_folded_than_there_are_and_never_fewer_than_are_needed(
    turns: list[int], usable: int, keep: int
) -> None:
    budget = budget_for(usable, compact_at=0.8, compact_to=0.45)
    full = prompt(turns)
    count = turns_to_fold(full, budget, keep=keep)
    most = max(0, len(turns) - keep)
    assert 0 <= count <= most
    left = full.total - sum(turns[:count]) + budget.block
    assert left <= budget.landing or count == most
