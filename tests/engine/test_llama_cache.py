"""Cells that grow, that are of several types, and that fit the memory there is."""

from collections.abc import Callable

import pytest

from ctxchat.domain.errors import EngineError, ModelError
from ctxchat.engine.llama.context import Outcome
from ctxchat.engine.llama.log import LOG
from ctxchat.engine.llama.model import LlamaModel
from tests.support.short_memory import leave
from tests.support.tiny_gguf import Shape
from tests.support.turns import answer, words

OpenModel = Callable[..., LlamaModel]


def test_one_shot_cells_are_the_next_power_of_two_and_grow_with_what_they_hold(
    open_model: OpenModel,
) -> None:
    model = open_model(one_shot=True, window=1024)
    ids = words(model, 200)
    assert model.cache.plan(ids, 12).capacity == 256
    ids += answer(model, ids).text_ids + words(model, 100)
    assert model.cache.capacity == 256
    assert (model.cache.plan(ids, 12).capacity, model.cache.plan(ids, 12).reused) == (512, 212)
    grown = answer(model, ids)
    assert model.cache.capacity == 512
    assert answer(open_model(window=1024), ids) == grown


def test_cells_never_outgrow_the_window(open_model: OpenModel) -> None:
    model = open_model(one_shot=True, window=300)
    assert model.cache.plan(words(model, 290), 4000).capacity == 512


def test_shared_cells_stay_shared_when_the_cells_grow(open_model: OpenModel) -> None:
    model = open_model(one_shot=True, window=512)
    ids = words(model, 200)
    answer(model, ids)
    model.cache.fork(0, 3, 200)
    answer(model, ids + words(model, 100, first="more"))
    assert (model.cache.cells(3), model.cache.capacity) == (212, 512)
    model.cache.drop(0)
    model.cache.fork(3, 0, 200)
    assert model.cache.plan(ids, 12).evaluated == 1
    assert answer(model, ids) == answer(open_model(), ids)


@pytest.mark.parametrize(
    ("type_k", "type_v", "bytes_per_token"),
    [
        ("f16", "f16", 512),
        ("f32", "f32", 1024),
        ("q8_0", "f16", 392),
        ("q8_0", "q8_0", 272),
        ("q4_0", "q5_1", 168),
    ],
)
def test_bytes_of_a_cell_are_those_llama_cpp_allocates(
    open_model: OpenModel, type_k: str, type_v: str, bytes_per_token: int
) -> None:
    model = open_model(type_k=type_k, type_v=type_v)
    assert model.cache.bytes_per_token == bytes_per_token
    answer(model, (1, 2, 3))
    reported, rounding = LOG.kv_bytes()
    assert abs(reported - 512 * bytes_per_token) <= rounding
    assert model.cache.bytes_per_token == bytes_per_token
    assert model.memory().kv == 512 * bytes_per_token
    assert (model.cache.type_k, model.cache.type_v) == (type_k, type_v)


def test_where_the_formula_errs_what_llama_cpp_allocated_counts(open_model: OpenModel) -> None:
    model = open_model()
    model.cache.bytes_per_token = 100
    answer(model, (1, 2, 3))
    assert model.cache.bytes_per_token == 512


def test_flash_attention_can_be_forced(open_model: OpenModel) -> None:
    assert len(answer(open_model(flash_attn="on"), (1, 2, 3)).text_ids) == 12


def test_cells_that_memory_does_not_hold_are_refused_with_numbers(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(window=2048)
    leave(monkeypatch, model, 2048 * 512 - 1)
    with pytest.raises(
        ModelError, match=r"2,048 cells need 1.0 MB and 1.0 MB are free for them: .*--ctx-size"
    ):
        answer(model, (1, 2, 3))
    leave(monkeypatch, model, 2048 * 512)
    assert answer(model, (1, 2, 3)).text_ids


def test_cells_that_llama_cpp_refuses_are_told_with_its_reason(open_model: OpenModel) -> None:
    model = open_model(Shape(head_length=16), type_k="q8_0", flash_attn="on")
    with pytest.raises(ModelError, match=r"512 cells with q8_0 keys .* does not divide"):
        answer(model, (1, 2, 3))


def test_more_than_a_slice_at_once_never_reaches_llama_cpp(open_model: OpenModel) -> None:
    model = open_model(batch_size=32)
    answer(model, (1, 2, 3))
    for ids in ((), tuple(range(33))):
        with pytest.raises(EngineError, match="the slice is 32"):
            model.cache.read(ids, predict=True)


def test_what_an_interruption_leaves_is_what_llama_cpp_says(open_model: OpenModel) -> None:
    model = open_model(batch_size=128, ubatch_size=32)
    ids = words(model, 100)
    answer(model, ids, limit=0)
    context = model.cache._context
    assert context
    context.interrupt()
    assert model.cache.read(words(model, 64, first="x"), predict=True) is Outcome.INTERRUPTED
    assert model.cache.cells() == context.count(0) == 100
    context.resume()
    assert answer(model, ids) == answer(open_model(), ids)


@pytest.mark.parametrize("spare", [1, 2, 3])
def test_a_prompt_that_runs_short_takes_the_cells_of_other_sequences(
    open_model: OpenModel, spare: int
) -> None:
    model = open_model()
    answer(model, words(model, 300))
    model.cache.fork(0, spare, 300)
    other = words(model, 300, first="other")
    assert answer(model, other) == answer(open_model(), other)
    assert [model.cache.cells(sequence) for sequence in range(4)] == [312, 0, 0, 0]


def test_side_sequences_give_their_cells_before_the_branch_left_last(open_model: OpenModel) -> None:
    model = open_model()
    answer(model, words(model, 200, first="first"))
    model.cache.fork(0, 1, 150)
    answer(model, words(model, 200, first="second"))
    assert [model.cache.cells(sequence) for sequence in range(4)] == [212, 150, 0, 212]
    model.cache.drop(3)
    model.cache.fork(0, 3, 200)
    answer(model, words(model, 200, first="third"))
    assert [model.cache.cells(sequence) for sequence in range(4)] == [212, 0, 0, 212]


def test_an_answer_that_runs_short_takes_the_cells_of_other_sequences(open_model: OpenModel) -> None:
    model = open_model()
    answer(model, words(model, 300))
    model.cache.fork(0, 3, 300)
    other = words(model, 200, first="other")
    assert answer(model, other, limit=100) == answer(open_model(), other, limit=100)
    assert model.cache.cells(3) == 0


def test_where_more_cells_encode_positions_otherwise_all_is_read_again(open_model: OpenModel) -> None:
    shape = Shape(original_window=256)
    model = open_model(shape, one_shot=True)
    ids = words(model, 200)
    ids += answer(model, ids).text_ids + words(model, 100)
    plan = model.cache.plan(ids, 12)
    assert (plan.reused, plan.evaluated, plan.capacity) == (0, 312, 512)
    assert (plan.agreed, plan.moved) == (212, True)
    grown = answer(model, ids, limit=24)
    assert answer(open_model(shape), ids, limit=24) == grown
    assert answer(open_model(Shape(original_window=512)), ids, limit=24) != grown


def test_where_they_stay_within_it_they_are_carried_over(open_model: OpenModel) -> None:
    model = open_model(Shape(original_window=512), one_shot=True)
    ids = words(model, 200)
    ids += answer(model, ids).text_ids + words(model, 100)
    assert model.cache.plan(ids, 12).reused == 212
    assert answer(model, ids) == answer(open_model(Shape(original_window=512)), ids)
