"""What stood before foretells what comes."""

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.engine.llama.odds import Odds
from ctxchat.engine.lookup import LONGEST, LOOKED_AT, SHORTEST, Lookup

ids = st.lists(st.integers(0, 3), max_size=40)


def agreed(tokens: list[int], place: int) -> int:
    """How many tokens before a place are the same as the last ones."""
    sizes = range(1, place + 1)
    return max((size for size in sizes if tokens[place - size : place] == tokens[-size:]), default=0)


@given(ids)
def test_of_the_places_behind_the_last_two_tokens_the_one_counts_before_which_most_agree(
    tokens: list[int],
) -> None:
    lookup = Lookup(tokens)
    places = [place for place in range(len(tokens) - 1, 1, -1) if agreed(tokens, place) >= SHORTEST]
    best = max(places[:LOOKED_AT], key=lambda place: min(agreed(tokens, place), LONGEST), default=0)
    assert lookup.agreed == (min(agreed(tokens, best), LONGEST) if best else 0)
    assert lookup.next(5) == (tuple(tokens[best : best + 5]) if best else ())


@given(ids, ids)
def test_what_is_looked_up_is_the_same_whether_tokens_come_in_the_prompt_or_one_by_one(
    prompt: list[int], answer: list[int]
) -> None:
    grown = Lookup(prompt)
    for token in answer:
        grown.add(token)
    whole = Lookup([*prompt, *answer])
    assert (grown._latest, grown._earlier) == (whole._latest, whole._earlier)
    assert min(grown.agreed, SHORTEST) == min(whole.agreed, SHORTEST)


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
