"""What is expected to be cached is what the server says it had."""

import pytest

from ctxchat.engine.server.model import ServerModel
from ctxchat.engine.server.prefixes import SentPrefixes
from tests.support.server_models import GREEDY, last, told
from tests.support.servers.double import Double


@pytest.mark.parametrize("double", ["vllm_double", "llama_double"], indirect=True)
@pytest.mark.parametrize("limit", [7, 200])
def test_a_conversation_is_found_cached_as_expected(double: Double, model: ServerModel, limit: int) -> None:
    from ctxchat.domain.model import Generation

    ids = model.vocabulary.tokenize("one two three four five six seven ", special=False, after=None)
    for turn in range(4):
        double.backing.says[:] = ["an answer of some length, and then it ends"]
        expected = model.prefixes.expected(ids)
        done = last(told(model, Generation(ids, GREEDY, limit)))
        assert done.usage
        assert done.usage.prompt == len(ids)
        assert done.usage.cached == (expected or 0)
        assert bool(expected) == bool(turn)
        more = model.vocabulary.tokenize(" and another question?", special=False, after=None)
        ids = (*ids, *done.text_ids, *more)


def test_nothing_is_expected_of_an_api_that_tells_nothing() -> None:
    prefixes = SentPrefixes(1, 1, is_known=False)
    prefixes.sent((1, 2, 3), ())
    assert prefixes.expected((1, 2, 3, 4)) is None


def test_the_last_token_of_a_prompt_is_read_again() -> None:
    prefixes = SentPrefixes(1, 1, is_known=True)
    assert prefixes.expected((1, 2)) is None
    prefixes.sent((1, 2, 3, 4), ())
    assert [prefixes.expected(ids) for ids in ((1, 2, 3, 4), (1, 2, 3), (1, 9), (9,), ())] == [3, 2, 1, 0, 0]


def test_whole_blocks_are_cached_and_as_many_prompts_as_there_is_room_for() -> None:
    prefixes = SentPrefixes(2, 16, is_known=True)
    first, second, third = (tuple(range(begin, begin + 40)) for begin in (0, 100, 200))
    prefixes.sent(first, (1, 2))
    prefixes.sent(second, ())
    assert prefixes.expected((*first, 1, 2, 3)) == 32
    prefixes.sent((*first, 1, 2), ())
    assert prefixes.expected((*second, 1)) == 32
    prefixes.sent(third, ())
    assert prefixes.expected((*second, 1)) == 0
