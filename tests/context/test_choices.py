"""A prompt with fewer turns and fewer passages, as if it had been built so."""

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.alternatives import NOT_KEPT, Choice, alternative, count_passages
from ctxchat.domain.conversation import Section
from tests.support.costings import CURVE, prompt_of

PASSAGES = st.lists(st.integers(1, 30), max_size=4)


def test_passages_go_from_the_oldest_turn_and_the_last_of_its_message_first() -> None:
    prompt = prompt_of([[5, 6]], [7, 8])
    choices = [alternative(prompt, Choice(1000, "f16", passages=kept), 0, 1) for kept in range(5)]
    assert [choice.notes for choice in choices] == [0, 7, 15, 20, 26]
    assert [[one.id for one in choice.dropped] for choice in choices] == [
        ["passage 1", "passage 2", "passage 3", "passage 4"],
        ["passage 1", "passage 2", "passage 4"],
        ["passage 1", "passage 2"],
        ["passage 2"],
        [],
    ]
    assert {one.reason for one in choices[0].dropped} == {NOT_KEPT}


@given(st.lists(PASSAGES, max_size=4), PASSAGES, st.data())
def test_what_stays_is_the_prompt_that_would_be_built(
    past: list[list[int]], asked: list[int], drawn: st.DataObject
) -> None:
    prompt = prompt_of(past, asked)
    kept = drawn.draw(st.integers(0, count_passages(prompt)))
    turns = drawn.draw(st.integers(0, len(past)))
    choice = alternative(prompt, Choice(5000, "f16", turns, kept), 0, 10)
    excess = count_passages(prompt) - kept
    shortened = []
    for tokens in [*past, asked]:
        stays = max(0, len(tokens) - excess)
        excess -= len(tokens) - stays
        shortened.append(tokens[:stays])
    built = prompt_of(shortened[len(past) - turns : len(past)], shortened[-1])
    assert choice.total == choice.evaluated == built.total
    assert choice.notes == built.sections[Section.NOTES]
    assert choice.turns == turns
    assert choice.bytes == 10 * built.total


def test_what_stands_before_the_first_that_goes_is_reused() -> None:
    prompt = prompt_of([[], []], [7, 8])
    whole = alternative(prompt, Choice(1000, "f16"), prompt.total - 4, 1, CURVE)
    assert whole.evaluated == 4
    fewer = alternative(prompt, Choice(1000, "f16", passages=1), prompt.total - 4, 1, CURVE)
    assert fewer.total - fewer.evaluated == 7 + 2 * 30 + 3 + 7
    assert fewer.prefill == CURVE.prefill(fewer.evaluated, fewer.total - fewer.evaluated)
    no_turns = alternative(prompt, Choice(1000, "f16", turns=0), prompt.total - 4, 1)
    assert no_turns.total - no_turns.evaluated == 7


def test_a_budget_still_leaves_out_turns_that_were_to_be_kept() -> None:
    prompt = prompt_of([[], [], []], [])
    choice = alternative(prompt, Choice(prompt.total - 31, "f16", turns=2), 0, 1)
    assert choice.turns == 1
    assert [one.id for one in choice.dropped] == ["turn 1", "turn 2"]
