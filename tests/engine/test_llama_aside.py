"""Side work in llama.cpp's cells: bits that stay the same, cells that grow, and cells that run short."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import PromptTooLargeError
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.cells import CHAT, SIDE
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from tests.support.short_memory import leave
from tests.support.turns import Ids, answer, words

OpenModel = Callable[..., LlamaModel]


def state(model: LlamaModel) -> bytes:
    """The chat's cells, byte for byte."""
    context = model.cache._context
    assert context
    size = library().llama_state_seq_get_size(context._pointer, CHAT)
    buffer = (ctypes.c_uint8 * size)()
    assert library().llama_state_seq_get_data(context._pointer, buffer, size, CHAT) == size
    return bytes(buffer)


def next_logits(model: LlamaModel, ids: Ids) -> bytes:
    """What the chat predicts behind a prompt, byte for byte."""
    answer(model, ids, limit=0)
    context = model.cache._context
    assert context
    logits = library().llama_get_logits_ith(context._pointer, -1)
    return ctypes.string_at(logits, model.vocabulary.size * ctypes.sizeof(ctypes.c_float))


def check_bits(model: LlamaModel) -> None:
    ids = words(model, 60)
    ids += answer(model, ids).text_ids
    question = words(model, 20, first="Go on")
    before, logits = state(model), next_logits(model, ids + question)
    model.cache.trim(CHAT, 72)
    assert state(model) == before
    given = answer(model, ids + words(model, 100, first="Sum up"), limit=50, aside=True)
    assert len(given.text_ids) == 50
    assert state(model) == before
    assert next_logits(model, ids + question) == logits


@pytest.mark.parametrize(
    "options", [{}, {"flash_attn": "on"}, {"type_k": "q8_0", "type_v": "q8_0"}, {"batch_size": 16}]
)
def test_cells_and_next_logits_are_the_same_to_the_bit(
    open_model: OpenModel, options: dict[str, object]
) -> None:
    check_bits(open_model(**options))


@pytest.mark.model
def test_cells_and_next_logits_of_the_real_model_are_the_same_to_the_bit(smollm2: Path) -> None:
    model = LlamaModel(smollm2, EngineOptions(window=512, threads=1, threads_batch=1))
    list(model.load(Cancel()))
    check_bits(model)
    model.close()


def test_one_shot_cells_grow_for_side_work_and_keep_the_chat(open_model: OpenModel) -> None:
    model = open_model(one_shot=True, window=1024)
    ids = words(model, 200)
    ids += answer(model, ids).text_ids
    before = state(model)
    answer(model, ids + words(model, 100, first="Sum up"), aside=True)
    assert (model.cache.capacity, model.cache.cells(CHAT), model.cache.cells(SIDE)) == (512, 212, 0)
    assert state(model) == before
    question = ids + words(model, 20, first="Go on")
    fresh = open_model(window=1024)
    answer(fresh, ids[:200])
    assert answer(model, question) == answer(fresh, question)


def test_side_work_that_fits_allocates_nothing(open_model: OpenModel) -> None:
    model = open_model(one_shot=True, window=1024)
    ids = words(model, 200)
    answer(model, ids)
    answer(model, ids + words(model, 20, first="Sum up"), limit=24, aside=True)
    assert model.cache.capacity == 256


def test_one_shot_cells_do_not_outgrow_the_window(open_model: OpenModel) -> None:
    model = open_model(one_shot=True, window=512)
    ids = words(model, 200)
    answer(model, ids)
    with pytest.raises(PromptTooLargeError, match=r"side work needs 513 cells, .* holds 512"):
        answer(model, ids + words(model, 280, first="Sum up"), limit=21, aside=True)
    assert (model.cache.capacity, model.cache.cells(CHAT)) == (256, 212)


def test_cells_that_cannot_grow_for_want_of_memory_are_told_and_leave_the_chat(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(one_shot=True, window=1024)
    ids = words(model, 200)
    ids += answer(model, ids).text_ids
    before = state(model)
    with monkeypatch.context() as patch:
        leave(patch, model, 0)
        with pytest.raises(PromptTooLargeError, match="no room for side work: 512 cells need"):
            answer(model, ids + words(model, 100, first="Sum up"), aside=True)
    assert (model.cache.capacity, state(model)) == (256, before)


def test_side_work_that_runs_short_takes_the_cells_of_the_branch_left_last(open_model: OpenModel) -> None:
    model = open_model()
    answer(model, words(model, 200, first="left"))
    model.cache.fork(CHAT, 3, 200)
    ids = words(model, 200)
    ids += answer(model, ids).text_ids
    before = state(model)
    first = answer(open_model(), ids + words(model, 100, first="Sum up"), limit=50)
    assert answer(model, ids + words(model, 100, first="Sum up"), limit=50, aside=True) == first
    assert [model.cache.cells(sequence) for sequence in range(4)] == [212, 0, 0, 0]
    assert state(model) == before
