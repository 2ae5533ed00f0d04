"""Side work shares the chat's cells, and leaves the chat as it was."""

import ctypes
from collections.abc import Callable, Iterator

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError, PromptTooLargeError
from ctxchat.domain.events import EngineEvent, Generated, Prefilled
from ctxchat.domain.ports import Model
from ctxchat.engine.llama import generation as llama_generation
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.model import LlamaModel
from tests.contract.conftest import EVERY, WINDOW, MakeModel
from tests.support.scripted import ScriptedModel
from tests.support.turns import Ids, answer, begin, cells_of, until_prefilled, until_text, words

CHAT, SIDE = 0, 1

every = pytest.mark.parametrize("make_model", [*EVERY, "recurrent", "hybrid"], indirect=True)


@pytest.fixture
def chat(model: Model) -> Ids:
    """A prompt of 60 tokens with its answer of 12, all of them in cells."""
    ids = words(model, 60)
    return ids + answer(model, ids).text_ids


@pytest.fixture
def closing(model: Model) -> Ids:
    """An instruction of 20 tokens."""
    return words(model, 20, first="Sum up")


@pytest.fixture
def unchanged(model: Model, chat: Ids, make_model: MakeModel) -> Callable[[], None]:
    """Checks that side work left nothing: cells, their content, and what the chat says next."""
    before = content(model)
    fresh = make_model()
    list(fresh.load(Cancel()))
    answer(fresh, chat[:60])
    question = words(model, 20, first="Go on")

    def check() -> None:
        assert (cells_of(model).cells(CHAT), cells_of(model).cells(SIDE)) == (72, 0)
        assert content(model) == before
        assert cells_of(model).plan(chat + question, 12).reused == 72
        assert answer(model, chat + question, limit=24) == answer(fresh, chat + question, limit=24)

    return check


def content(model: Model) -> bytes:
    """What the cells of the chat hold."""
    if isinstance(model, ScriptedModel):
        return repr(model.cache.mirror._ids[CHAT]).encode()
    assert isinstance(model, LlamaModel)
    assert model._worker
    return model._worker.call(lambda: _state(model))


def _state(model: LlamaModel) -> bytes:
    context = model.cache._context
    assert context
    size = library().llama_state_seq_get_size(context._pointer, CHAT)
    state = (ctypes.c_uint8 * size)()
    assert library().llama_state_seq_get_data(context._pointer, state, size, CHAT) == size
    return bytes(state)


@every
def test_the_chat_goes_on_as_if_nothing_had_been(
    model: Model, chat: Ids, closing: Ids, unchanged: Callable[[], None]
) -> None:
    given = answer(model, chat + closing, limit=30, aside=True)
    assert (given.finish, len(given.text_ids)) == (Finish.LENGTH, 30)
    unchanged()


@every
def test_what_the_prompt_begins_with_is_shared_and_the_rest_evaluated(
    model: Model, chat: Ids, closing: Ids
) -> None:
    events = list(begin(model, chat + closing, Cancel(), aside=True))
    assert events[0] == Prefilled(0, 20)
    assert Prefilled(20, 20) in events
    assert isinstance(events[-1], Generated)


def test_a_part_of_the_chat_can_be_shared(
    model: Model, chat: Ids, closing: Ids, unchanged: Callable[[], None]
) -> None:
    assert next(begin(model, chat[:30] + closing, Cancel(), aside=True)) == Prefilled(0, 20)
    answer(model, chat[:30] + closing, aside=True)
    unchanged()


@pytest.mark.parametrize("make_model", ["recurrent", "hybrid"], indirect=True)
def test_where_no_part_can_be_shared_the_whole_prompt_is_evaluated(
    model: Model, chat: Ids, closing: Ids, unchanged: Callable[[], None], make_model: MakeModel
) -> None:
    fresh = make_model()
    list(fresh.load(Cancel()))
    first, *_, last = begin(model, chat[:30] + closing, Cancel(), aside=True)
    assert first == Prefilled(0, 50)
    assert last == answer(fresh, chat[:30] + closing)
    unchanged()


def test_the_chat_asked_again_aside_evaluates_its_last_token(
    model: Model, chat: Ids, unchanged: Callable[[], None]
) -> None:
    assert next(begin(model, chat, Cancel(), aside=True)) == Prefilled(0, 1)
    answer(model, chat, aside=True)
    unchanged()


@every
def test_side_work_answers_as_the_chat_would(
    model: Model, chat: Ids, closing: Ids, make_model: MakeModel
) -> None:
    fresh = make_model()
    list(fresh.load(Cancel()))
    answer(fresh, chat[:60])
    assert answer(model, chat + closing, aside=True) == answer(fresh, chat + closing)


def test_side_work_needs_no_chat(model: Model, make_model: MakeModel) -> None:
    ids = words(model, 60)
    fresh = make_model()
    list(fresh.load(Cancel()))
    assert answer(fresh, ids, aside=True) == answer(model, ids)
    assert (cells_of(fresh).cells(CHAT), cells_of(fresh).cells(SIDE)) == (0, 0)
    assert answer(fresh, ids) == answer(model, ids)


def test_several_in_a_row_are_all_the_same(
    model: Model, chat: Ids, closing: Ids, unchanged: Callable[[], None]
) -> None:
    first = answer(model, chat + closing, limit=100, aside=True)
    for _ in range(10):
        assert answer(model, chat + closing, limit=100, aside=True) == first
    answer(model, words(model, 100, first="other"), limit=100, aside=True)
    unchanged()


def test_what_the_side_sequence_held_is_replaced(
    model: Model, chat: Ids, closing: Ids, unchanged: Callable[[], None]
) -> None:
    first = answer(model, chat + closing, aside=True)
    cells_of(model).fork(CHAT, SIDE, 72)
    assert answer(model, chat + closing, aside=True) == first
    unchanged()


def _cancelled(events: Iterator[EngineEvent], cancel: Cancel) -> None:
    cancel.request()
    list(events)


def _closed(events: Iterator[EngineEvent], cancel: Cancel) -> None:
    events.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("interrupt", [_cancelled, _closed])
@pytest.mark.parametrize("reach", [next, until_prefilled, until_text])
def test_side_work_interrupted_anywhere_leaves_the_chat_whole(
    model: Model,
    chat: Ids,
    unchanged: Callable[[], None],
    reach: Callable[[Iterator[EngineEvent]], EngineEvent],
    interrupt: Callable[[Iterator[EngineEvent], Cancel], None],
) -> None:
    cancel = Cancel()
    events = begin(model, chat + words(model, 200, first="Sum up"), cancel, limit=200, aside=True)
    reach(events)
    interrupt(events, cancel)
    unchanged()


@every
def test_side_work_cancelled_in_decode_gives_what_was_said(
    model: Model, chat: Ids, closing: Ids, unchanged: Callable[[], None]
) -> None:
    cancel = Cancel()
    events = begin(model, chat + closing, cancel, limit=400, aside=True)
    until_text(events)
    cancel.request()
    *_, last = events
    assert isinstance(last, Generated)
    assert (last.finish, bool(last.text)) == (Finish.CANCELLED, True)
    unchanged()


def test_an_error_in_side_work_leaves_the_chat_whole(
    model: Model, chat: Ids, closing: Ids, unchanged: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        if isinstance(model, ScriptedModel):
            model.answers.append(EngineError("broken"))
        else:
            patch.setattr(llama_generation.AnswerStream, "feed", _break)
        with pytest.raises(EngineError, match="broken"):
            answer(model, chat + closing, aside=True)
    unchanged()


def _break(*_: object) -> None:
    raise EngineError("broken")


def test_side_work_that_fills_the_window_to_its_end_is_done(
    model: Model, chat: Ids, unchanged: Callable[[], None]
) -> None:
    closing = words(model, 200, first="Sum up")
    room = WINDOW - len(chat) - len(closing)
    assert len(answer(model, chat + closing, limit=room, aside=True).text_ids) == room
    unchanged()


def test_side_work_that_does_not_fit_is_refused_before_anything_is_evaluated(
    model: Model, chat: Ids, unchanged: Callable[[], None]
) -> None:
    closing = words(model, 200, first="Sum up")
    room = WINDOW - len(chat) - len(closing)
    seen: list[EngineEvent] = []
    with pytest.raises(PromptTooLargeError, match=f"{WINDOW + 1} cells"):
        seen.extend(begin(model, chat + closing, Cancel(), limit=room + 1, aside=True))
    assert seen == []
    unchanged()


def test_cells_of_the_chat_that_are_not_shared_count_too(
    model: Model, chat: Ids, unchanged: Callable[[], None]
) -> None:
    with pytest.raises(PromptTooLargeError, match=f"{WINDOW + 1} cells"):
        answer(model, words(model, 400, first="~"), limit=WINDOW - 72 - 400 + 1, aside=True)
    answer(model, words(model, 400, first="~"), limit=WINDOW - 72 - 400, aside=True)
    unchanged()
