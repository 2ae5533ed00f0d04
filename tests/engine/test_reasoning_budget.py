"""Reasoning ended in the model's place, in real cells."""

from collections.abc import Callable

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Generated
from ctxchat.domain.model import Generation, ReasoningTags
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.model import LlamaModel

OpenModel = Callable[..., LlamaModel]

TAGS = ReasoningTags("<think>", "</think>")
YES_OR_NO = Constraint('root ::= "yes" | "no"')


@pytest.fixture
def model(open_model: OpenModel) -> LlamaModel:
    return open_model()


def ids_of(model: LlamaModel, text: str) -> tuple[int, ...]:
    return model.vocabulary.tokenize(text, special=True, after=None)


def answered(model: LlamaModel, budget: int, **changes: object) -> Generated:
    wishes: dict[str, object] = {"sampling": Sampling(temperature=0), "limit": 40} | changes
    generation = Generation(
        ids_of(model, "the<think>"),
        reasoning=TAGS,
        in_reasoning=True,
        reasoning_budget=budget,
        **wishes,  # type: ignore[arg-type]
    )
    *_, last = model.generate(generation, Cancel())
    assert isinstance(last, Generated)
    return last


@pytest.mark.parametrize("budget", [0, 1, 7])
def test_every_forced_token_is_in_a_cell_and_told(model: LlamaModel, budget: int) -> None:
    done = answered(model, budget)
    forced = ids_of(model, TAGS.ending)
    assert done.reasoning_ids[-len(forced) :] == forced
    assert budget <= len(done.reasoning_ids) - len(forced) <= budget + 3
    assert len(done.text_ids) + len(done.reasoning_ids) == 40
    assert model.cache.cells() == len(ids_of(model, "the<think>")) + 40


def test_the_model_goes_on_as_if_it_had_written_the_end_itself(model: LlamaModel) -> None:
    done = answered(model, 5)
    prompt = (*ids_of(model, "the<think>"), *done.reasoning_ids)
    wanted = Generation(prompt, Sampling(temperature=0), len(done.text_ids))
    model.cache.drop(0)
    *_, last = model.generate(wanted, Cancel())
    assert isinstance(last, Generated)
    assert last.text_ids == done.text_ids


@pytest.mark.parametrize("budget", [0, 6])
def test_a_grammar_begins_behind_the_forced_end(model: LlamaModel, budget: int) -> None:
    done = answered(model, budget, constraint=YES_OR_NO)
    assert (done.text in ("yes", "no"), done.satisfied, done.finish) == (True, True, Finish.STOP)
    assert budget <= len(done.reasoning_ids) - len(ids_of(model, TAGS.ending)) <= budget + 3


def test_a_grammar_is_satisfied_where_the_limit_comes_before_the_budget(model: LlamaModel) -> None:
    done = answered(model, 100, constraint=YES_OR_NO, limit=20)
    assert (done.text in ("yes", "no"), done.satisfied) == (True, True)


def test_the_cells_of_the_chat_are_reused_behind_a_forced_end(model: LlamaModel) -> None:
    done = answered(model, 3)
    prompt = (*ids_of(model, "the<think>"), *done.reasoning_ids, *done.text_ids, *ids_of(model, "more"))
    assert model.cache.plan(prompt, 1).reused == len(prompt) - len(ids_of(model, "more"))
