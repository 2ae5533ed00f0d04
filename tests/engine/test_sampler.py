"""Which samplers an option brings, and what they choose on a model with known predictions."""

from collections.abc import Callable

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import Generated
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.sampler import sampler
from tests.support.tiny_gguf import TOKENS, Shape

OpenModel = Callable[..., LlamaModel]

TOKEN_A = TOKENS.index("a")

ALL = Sampling(
    top_k=40,
    typical_p=0.9,
    top_p=0.9,
    min_p=0.1,
    repeat_penalty=1.1,
    temperature=0.5,
    seed=1,
)
NEUTRAL = Sampling(top_k=0, typical_p=1, top_p=1, min_p=0, repeat_penalty=1, temperature=1, seed=1)


def names(sampling: Sampling) -> list[str]:
    lib = library()
    with sampler(sampling, 276, (1, 2)) as chain:
        steps = (lib.llama_sampler_chain_get(chain, i) for i in range(lib.llama_sampler_chain_n(chain)))
        return [lib.llama_sampler_name(step).decode() for step in steps]


def said(model: LlamaModel, sampling: Sampling, prompt: str = "the", limit: int = 20) -> tuple[int, ...]:
    ids = model.vocabulary.tokenize(prompt, special=False, after=None)
    *_, last = model.generate(Generation(ids, sampling, limit), Cancel())
    assert isinstance(last, Generated)
    return last.text_ids


def test_samplers_stand_in_the_order_of_llama_cpp() -> None:
    expected = ["penalties", "top-k", "typical", "top-p", "min-p", "temp", "dist"]
    assert [name.removeprefix("?") for name in names(ALL)] == expected


def test_an_option_at_its_neutral_value_brings_no_sampler() -> None:
    assert [name.removeprefix("?") for name in names(NEUTRAL)] == ["temp", "dist"]


def test_no_temperature_takes_the_likeliest_after_the_penalties() -> None:
    greedy = Sampling(temperature=0, repeat_penalty=1.5)
    assert [name.removeprefix("?") for name in names(greedy)] == ["penalties", "greedy"]


def test_a_penalty_that_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="repeat penalty"):
        names(Sampling(repeat_penalty=-1))


def test_a_seed_repeats_an_answer_and_another_does_not(open_model: OpenModel) -> None:
    model = open_model()
    first = said(model, Sampling(temperature=2, seed=7))
    assert said(model, Sampling(temperature=2, seed=7)) == first
    assert said(model, Sampling(temperature=2, seed=8)) != first


def test_without_a_seed_answers_differ(open_model: OpenModel) -> None:
    model = open_model()
    answers = {said(model, Sampling(temperature=2, top_k=0, min_p=0, top_p=1)) for _ in range(3)}
    assert len(answers) == 3


def test_a_single_candidate_is_the_likeliest(open_model: OpenModel) -> None:
    model = open_model()
    assert said(model, Sampling(top_k=1)) == said(model, Sampling(temperature=0))


def test_what_the_prompt_holds_counts_as_repeated(open_model: OpenModel) -> None:
    model = open_model(Shape(says="abcd", layers=1))
    heavy = Sampling(temperature=0, presence_penalty=100)
    assert said(model, Sampling(temperature=0), limit=1) == (TOKEN_A,)
    assert TOKEN_A not in said(model, heavy, prompt="a the", limit=1)
