"""What stood before foretells what comes."""

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.engine.llama.odds import Odds
from ctxchat.engine.lookup import SIZES, Lookup

ids = st.lists(st.integers(0, 3), max_size=40)


def followed(tokens: list[int], size: int) -> int:
    """The place behind the latest earlier run of the last so many tokens, 0 where there is none."""
    run = tokens[-size:]
    places = [end for end in range(size, len(tokens)) if tokens[end - size : end] == run]
    return max(places, default=0) if len(run) == size else 0


@given(ids)
def test_of_the_longest_runs_that_stood_before_the_latest_counts(tokens: list[int]) -> None:
    lookup = Lookup(tokens)
    place, size = next(((p, s) for s in SIZES if (p := followed(tokens, s))), (0, 0))
    assert lookup.agreed == size
    assert lookup.next(5) == (tuple(tokens[place : place + 5]) if place else ())


@given(ids, ids)
def test_what_is_looked_up_is_the_same_whether_tokens_come_in_the_prompt_or_one_by_one(
    prompt: list[int], answer: list[int]
) -> None:
    grown = Lookup(prompt)
    for token in answer:
        grown.add(token)
    whole = Lookup([*prompt, *answer])
    assert grown._behind == whole._behind
    assert grown.agreed >= whole.agreed


def test_a_place_is_followed_for_as_long_as_it_is_right() -> None:
    lookup = Lookup([1, 2, 3, 4, 5, 9, 1, 2])
    for token, foretold, agreed in ((3, (4, 5), 3), (4, (5, 9), 4), (5, (9, 1), 5)):
        lookup.add(token)
        assert (lookup.next(2), lookup.agreed) == (foretold, agreed)
    lookup.add(8)
    assert (lookup.next(2), lookup.agreed) == ((), 0)


def test_chances_follow_what_was_seen_and_rise_with_what_agrees() -> None:
    odds = Odds()
    assert odds.chance(2) < odds.chance(3) < odds.chance(8) == odds.chance(30) < 1
    for _ in range(20):
        odds.saw(2, right=True)
        odds.saw(3, right=False)
    assert odds.chance(2) > 0.9
    assert odds.chance(3) < 0.1
    for _ in range(60):
        odds.saw(2, right=False)
    assert odds.chance(2) < 0.2
