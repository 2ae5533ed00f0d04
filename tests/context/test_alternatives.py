"""A plan leaves out the oldest turns, and counts nothing again."""

from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.alternatives import alternatives
from ctxchat.domain.conversation import Message
from ctxchat.domain.prompt import Prompt
from tests.context.test_assemble import answer, build, question

SIZES = {"f16": 10, "q8_0": 7}


def conversation(turns: int, letters: int = 20) -> tuple[list[Message], Message]:
    history: list[Message] = []
    for number in range(turns):
        history += [question(f"q{number}", "q" * letters), answer(f"a{number}", "a" * letters)]
    return history, question("last", "Why?")


def prompt_of(turns: int, *, keep: int | None = None, letters: int = 20, usable: int = 900) -> Prompt:
    history, asked = conversation(turns, letters)
    kept = history[2 * (turns - (turns if keep is None else keep)) :]
    built = build(kept, asked)
    return Prompt(built.pieces, usable + 100, 100, built.verbatim_turns)


def test_what_fits_is_left_whole() -> None:
    first, *_ = alternatives(prompt_of(2), 0, "f16", SIZES)
    assert (first.budget, first.turns, first.dropped) == (900, 2, ())
    assert first.total == first.evaluated == prompt_of(2).total
    assert first.prefill is None


def test_budgets_and_types_are_crossed() -> None:
    choices = alternatives(prompt_of(1), 0, "f16", SIZES)
    assert [(c.budget, c.type_k) for c in choices] == [
        (900, "f16"), (900, "q8_0"), (450, "f16"), (450, "q8_0"), (225, "f16"), (225, "q8_0"),
    ]  # fmt: skip
    assert all(c.bytes == c.total * SIZES[c.type_k] for c in choices)


@given(st.integers(0, 12), st.integers(1, 40), st.integers(50, 900))
def test_a_total_is_that_of_the_prompt_without_the_oldest_turns(
    turns: int, letters: int, usable: int
) -> None:
    prompt = prompt_of(turns, letters=letters, usable=usable)
    for choice in alternatives(prompt, 0, "f16", SIZES):
        assert choice.total == prompt_of(turns, keep=choice.turns, letters=letters).total
        assert choice.total <= choice.budget or choice.turns == 0
        assert choice.turns + len(choice.dropped) == turns
        assert choice.total + sum(one.tokens for one in choice.dropped) == prompt.total
        if choice.dropped:
            assert prompt_of(turns, keep=choice.turns + 1, letters=letters).total > choice.budget


def test_what_is_held_is_reused_up_to_what_is_left_out_and_by_its_own_type_alone() -> None:
    prompt = prompt_of(10, usable=500)
    before_turns = sum(len(piece.ids) for piece in takewhile(lambda piece: piece.turn is None, prompt.pieces))
    whole, other, half, *_ = alternatives(prompt, prompt.total - 10, "f16", SIZES)
    assert (whole.dropped, whole.evaluated) == ((), 10)
    assert other.evaluated == other.total
    assert half.dropped
    assert half.total - half.evaluated == before_turns


def test_left_out_turns_are_named_from_the_oldest() -> None:
    *_, last = alternatives(prompt_of(10), 0, "f16", SIZES)
    assert [one.id for one in last.dropped][:2] == ["turn 1", "turn 2"]
