"""Tokens are chosen as the grammar allows, at the price of asking about few of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import Generated
from ctxchat.domain.model import Generation, ReasoningTags
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.grammar.json_schema import grammar_of_schema
from ctxchat.engine.llama.constrained import ConstrainedChoice
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions

OpenModel = Callable[..., LlamaModel]

TAGS = ReasoningTags("<think>", "</think>")
YES_OR_NO = Constraint('root ::= "yes" | "no"')
STORY = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "people": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "age": {"type": "integer", "minimum": 1, "maximum": 99},
                },
                "required": ["name", "age"],
            },
            "minItems": 1,
        },
        "mood": {"enum": ["glad", "sad"]},
    },
    "required": ["title", "people", "mood"],
}


def said(
    model: LlamaModel,
    constraint: Constraint,
    *,
    prompt: str = "the",
    limit: int = 60,
    sampling: Sampling | None = None,
    tags: ReasoningTags | None = None,
    in_reasoning: bool = False,
) -> Generated:
    ids = model.vocabulary.tokenize(prompt, special=True, after=None)
    generation = Generation(
        ids, sampling or Sampling(seed=1), limit, tags, in_reasoning, constraint=constraint
    )
    *_, last = model.generate(generation, Cancel())
    assert isinstance(last, Generated)
    return last


@pytest.fixture
def tiny(open_model: OpenModel) -> LlamaModel:
    return open_model()


@pytest.fixture(scope="module")
def smol(smollm2: Path) -> Iterator[LlamaModel]:
    model = LlamaModel(smollm2, EngineOptions(window=1024, threads=1, threads_batch=1))
    list(model.load(Cancel()))
    yield model
    model.close()


@pytest.mark.parametrize("temperature", [0.0, 0.8, 2.0])
def test_an_answer_without_an_end_of_its_own_is_led_to_one_before_the_limit(
    tiny: LlamaModel, temperature: float
) -> None:
    endless = Constraint('root ::= "[" [a-z ]* "] that is all"')
    last = said(tiny, endless, limit=40, sampling=Sampling(temperature=temperature, seed=3))
    assert last.satisfied
    assert last.text.endswith("] that is all")
    assert last.finish is Finish.LENGTH
    assert len(last.text_ids) <= 40


def test_a_limit_below_the_shortest_answer_is_said_and_not_hurried_to(tiny: LlamaModel) -> None:
    last = said(tiny, Constraint('root ::= [a-z]{30} "."'), limit=5)
    assert (last.satisfied, last.finish) == (False, Finish.LENGTH)


def test_reasoning_is_free_until_its_closing_tag_and_the_grammar_begins_there(tiny: LlamaModel) -> None:
    last = said(tiny, YES_OR_NO, tags=TAGS, in_reasoning=True, limit=40)
    assert last.satisfied
    assert last.text in ("yes", "no")
    assert last.reasoning


def test_a_model_that_may_reason_may_answer_at_once(tiny: LlamaModel) -> None:
    last = said(tiny, YES_OR_NO, tags=TAGS, limit=40)
    assert last.satisfied
    assert last.text in ("yes", "no")


def test_a_stop_string_within_the_answer_leaves_it_unsatisfied(tiny: LlamaModel) -> None:
    last = said(tiny, Constraint('root ::= "one, two"'), sampling=Sampling(stop=(", ",)))
    assert (last.text, last.satisfied) == ("one", False)


def test_a_character_of_several_tokens_is_whole(tiny: LlamaModel) -> None:
    last = said(tiny, Constraint("root ::= [é-ü😀-😎]{5}"))
    assert last.satisfied
    assert len(last.text) == 5


def test_a_grammar_that_cannot_be_followed_is_refused_and_the_model_goes_on(tiny: LlamaModel) -> None:
    with pytest.raises(UsageError, match="refers to itself"):
        said(tiny, Constraint('root ::= root "a" | "b"'))
    assert said(tiny, YES_OR_NO).satisfied


def test_a_penalty_counts_under_a_grammar_too(tiny: LlamaModel) -> None:
    letters = Constraint("root ::= [ab]{6}")
    heavy = Sampling(temperature=0, presence_penalty=100, seed=1)
    text = said(tiny, letters, sampling=heavy).text
    assert set(text) == {"a", "b"}


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(seed=5),
        Sampling(temperature=0),
        Sampling(seed=5, top_k=5),
    ],
)
@pytest.mark.model
def test_looking_at_the_likeliest_tokens_first_changes_no_answer(
    smol: LlamaModel, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    constraint = Constraint(grammar_of_schema(json.dumps(STORY)))
    first = said(smol, constraint, prompt="A story as JSON:", sampling=sampling, limit=40)
    monkeypatch.setattr(ConstrainedChoice, "_narrowed", lambda *_: False)
    assert said(smol, constraint, prompt="A story as JSON:", sampling=sampling, limit=40) == first


@pytest.mark.model
def test_a_schema_is_satisfied_whatever_the_seed(smol: LlamaModel) -> None:
    constraint = Constraint(grammar_of_schema(json.dumps(STORY)))
    prompt = "<|im_start|>user\nTell a story as JSON.<|im_end|>\n<|im_start|>assistant\n"
    for seed in range(3):
        last = said(smol, constraint, prompt=prompt, limit=70, sampling=Sampling(seed=seed))
        assert last.satisfied
        jsonschema.validate(json.loads(last.text), STORY)
