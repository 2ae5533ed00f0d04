"""Reasoning that has had its tokens is ended in the model's place, and the answer goes on behind it."""

import pytest

from ctxchat.domain.conversation import Finish
from ctxchat.domain.model import ReasoningTags
from ctxchat.engine.server.model import ServerModel
from tests.engine.server.conftest import Load
from tests.support.server_models import last, question, told
from tests.support.servers.double import Double

TAGS = ReasoningTags("<think>", "</think>", "\n</think>\n\n")
pytestmark = pytest.mark.parametrize("double", ["vllm_double", "llama_double"], indirect=True)


@pytest.mark.parametrize("budget", [0, 1, 5])
def test_it_is_ended_and_the_answer_follows(double: Double, model: ServerModel, budget: int) -> None:
    double.backing.says[:] = ["abcdefghijkl", "the answer"]
    asked = question(model, limit=200, reasoning=TAGS, in_reasoning=True, reasoning_budget=budget)
    done = last(told(model, asked))
    assert done.reasoning.rstrip("\n") == "abcdefghijkl"[:budget]
    assert (done.text, done.finish, done.aligned) == ("the answer", Finish.STOP, True)
    first, second = (answer.prompt for answer in double.answers)
    assert first == asked.ids
    assert second == (*asked.ids, *done.reasoning_ids)
    assert done.usage
    assert done.usage.prompt == len(asked.ids)


def test_a_vocabulary_at_the_server_does_as_well(double: Double, load: Load) -> None:
    model = load(double.url)
    double.backing.says[:] = ["<think>abcdefgh", "the answer"]
    asked = question(model, limit=200, reasoning=TAGS, reasoning_budget=3)
    done = last(told(model, asked))
    assert (done.reasoning.strip(), done.text) == ("abc", "the answer")


def test_reasoning_that_ends_by_itself_is_left_alone(double: Double, model: ServerModel) -> None:
    double.backing.says[:] = ["ab</think>\n\nyes"]
    asked = question(model, limit=200, reasoning=TAGS, in_reasoning=True, reasoning_budget=50)
    done = last(told(model, asked))
    assert (done.reasoning, done.text, len(double.answers)) == ("ab", "yes", 1)


def test_the_limit_counts_all_of_it(double: Double, model: ServerModel) -> None:
    double.backing.says[:] = ["abcdefgh", "the answer"]
    asked = question(model, limit=6, reasoning=TAGS, in_reasoning=True, reasoning_budget=4)
    assert last(told(model, asked)).finish is Finish.LENGTH
