"""The likeliest tokens stand for all only where nothing else could change the choice."""

import pytest

from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.candidates import REFUSED
from ctxchat.engine.llama.narrowing import Narrowing


def suffices(sampling: Sampling, logits: list[float], least: float) -> bool:
    narrowing = Narrowing.of(sampling)
    assert narrowing is not None
    return narrowing.suffices(logits, least)


@pytest.mark.parametrize("option", [{"typical_p": 0.9}, {"repeat_penalty": 1.1}])
def test_options_that_look_at_other_tokens_are_never_narrowed(option: dict[str, float]) -> None:
    assert Narrowing.of(Sampling(**option)) is None  # type: ignore[arg-type]


def test_the_likeliest_token_alone_is_one_that_is_left() -> None:
    assert suffices(Sampling(temperature=0), [REFUSED, 1.0], 0.9)
    assert not suffices(Sampling(temperature=0), [REFUSED, REFUSED], 0.9)


def test_as_many_as_top_k_takes_are_enough() -> None:
    assert suffices(Sampling(top_k=2), [3.0, REFUSED, 2.0], 1.9)
    assert not suffices(Sampling(top_k=3), [3.0, REFUSED, 2.0], 1.9)


def test_fewer_are_enough_where_min_p_cuts_the_others_and_top_p_would_keep_the_same() -> None:
    assert suffices(Sampling(top_k=40, top_p=1), [3.0, REFUSED], -0.5)
    assert not suffices(Sampling(top_k=40, top_p=1), [3.0, REFUSED], 0.5)
    assert not suffices(Sampling(top_k=40, top_p=0.95), [3.0, 0.1], -0.5)
    assert suffices(Sampling(top_k=40, top_p=0.95), [3.0, 0.1], -9.0)
