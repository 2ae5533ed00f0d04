"""What holds of the cells of every model that has them."""

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError
from ctxchat.domain.kv import KvCache
from ctxchat.domain.ports import Model
from tests.contract.conftest import EVERY, WINDOW, MakeModel
from tests.support.turns import Ids, answer, cells_of, words

CHAT, SIDE, LEFT = 0, 1, 3


@pytest.fixture
def prompt(model: Model) -> Ids:
    return words(model, 60)


@pytest.fixture
def cache(model: Model, prompt: Ids) -> KvCache:
    """Cells that hold a prompt and an answer of 12 tokens."""
    answer(model, prompt)
    return cells_of(model)


def test_no_cell_is_allocated_before_the_first_prompt(model: Model) -> None:
    assert (cells_of(model).capacity, cells_of(model).cells()) == (0, 0)


def test_a_first_prompt_reuses_nothing(model: Model) -> None:
    plan = cells_of(model).plan(words(model, 60), 12)
    assert (plan.reused, plan.evaluated, plan.capacity, plan.held) == (0, 60, WINDOW, 0)


def test_a_plan_changes_nothing(cache: KvCache, model: Model) -> None:
    cache.plan(words(model, 60, first="another"), 12)
    assert cache.cells() == 72


@pytest.mark.parametrize("held", [0, 1, 15, 59])
def test_a_plan_counts_every_token_once(cache: KvCache, model: Model, prompt: Ids, held: int) -> None:
    ids = prompt[:held] + words(model, 20, first="~")
    plan = cache.plan(ids, 12)
    assert (plan.reused, plan.reused + plan.evaluated) == (held, len(ids))


def test_a_fork_shares_cells_and_leaves_its_source_as_it_was(cache: KvCache, prompt: Ids) -> None:
    before = cache.plan(prompt, 12)
    cache.fork(CHAT, LEFT, 40)
    assert (cache.cells(CHAT), cache.cells(LEFT)) == (72, 40)
    assert cache.plan(prompt, 12) == before


def test_what_was_forked_comes_back_in_place_of_the_chat(cache: KvCache, model: Model, prompt: Ids) -> None:
    first = answer(model, prompt)
    cache.fork(CHAT, LEFT, 60)
    answer(model, words(model, 50, first="between"))
    cache.fork(LEFT, CHAT, 60)
    assert cache.plan(prompt, 12).evaluated == 1
    assert answer(model, prompt) == first


def test_a_fork_replaces_what_its_target_held(cache: KvCache) -> None:
    cache.fork(CHAT, SIDE, 40)
    cache.fork(CHAT, SIDE, 10)
    assert cache.cells(SIDE) == 10


def test_more_than_is_held_cannot_be_forked(cache: KvCache) -> None:
    with pytest.raises(EngineError, match="72 cells"):
        cache.fork(CHAT, SIDE, 73)
    assert cache.cells(SIDE) == 0


def test_dropping_a_fork_leaves_its_source(cache: KvCache, model: Model, prompt: Ids) -> None:
    first = answer(model, prompt)
    cache.fork(CHAT, SIDE, 60)
    cache.drop(SIDE)
    assert cache.cells(SIDE) == 0
    assert answer(model, prompt) == first


def test_dropping_the_source_leaves_a_fork(cache: KvCache) -> None:
    cache.fork(CHAT, SIDE, 60)
    cache.drop(CHAT)
    assert (cache.cells(CHAT), cache.cells(SIDE)) == (0, 60)


@pytest.mark.parametrize("make_model", EVERY, indirect=True)
def test_what_follows_a_trim_is_what_a_new_model_says(model: Model, make_model: MakeModel) -> None:
    ids = words(model, 60)
    answer(model, ids)
    cells_of(model).trim(CHAT, 30)
    assert cells_of(model).cells() == 30
    fresh = make_model()
    list(fresh.load(Cancel()))
    asked = ids[:30] + words(model, 20, first="then")
    assert cells_of(model).plan(asked, 12).reused == 30
    assert answer(model, asked) == answer(fresh, asked)


def test_a_trim_beyond_the_end_changes_nothing(cache: KvCache) -> None:
    cache.trim(CHAT, 1000)
    assert cache.cells() == 72


def test_an_empty_sequence_can_be_dropped_before_any_cell_is_allocated(model: Model) -> None:
    cells_of(model).drop(SIDE)
    assert cells_of(model).cells(SIDE) == 0
