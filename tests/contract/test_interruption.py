"""A turn after one that was cancelled, closed or refused is as good as the first."""

from dataclasses import replace

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import PromptTooLargeError
from ctxchat.domain.events import Generated, Prefilled, TextGenerated
from ctxchat.domain.ports import Model
from tests.contract.conftest import BY_IDS, EVERY, FAST, WINDOW, MakeModel
from tests.support.turns import Ids, answer, begin, cells_of, until_prefilled, until_text, words

every = pytest.mark.parametrize("make_model", EVERY, indirect=True)
by_ids = pytest.mark.parametrize("make_model", [*FAST, *BY_IDS], indirect=True)


def test_a_request_cancelled_before_it_begins_evaluates_nothing(model: Model) -> None:
    cancel = Cancel()
    cancel.request()
    assert list(begin(model, words(model, 80), cancel)) == [
        Prefilled(0, 80),
        Generated(Finish.CANCELLED, "", ()),
    ]
    assert cells_of(model).cells() == 0


@every
def test_cancelled_in_prefill_keeps_what_was_evaluated_for_the_next_turn(model: Model) -> None:
    ids, cancel = words(model, 400), Cancel()
    events = begin(model, ids, cancel)
    done = until_prefilled(events).done
    cancel.request()
    *_, last = events
    assert last == Generated(Finish.CANCELLED, "", ())
    assert done <= cells_of(model).cells() < 400
    assert cells_of(model).plan(ids, 12).reused == cells_of(model).cells()


@every
def test_cancelled_in_decode_keeps_what_was_said(model: Model) -> None:
    ids, cancel = words(model, 20), Cancel()
    events = begin(model, ids, cancel, limit=480)
    first = until_text(events)
    cancel.request()
    *rest, last = events
    assert isinstance(last, Generated)
    assert last.finish is Finish.CANCELLED
    assert last.text == first.text + "".join(e.text for e in rest if isinstance(e, TextGenerated))
    assert 20 <= cells_of(model).cells() <= 20 + len(last.text_ids)


@by_ids
def test_a_turn_after_a_cancelled_prefill_answers_as_if_nothing_had_been(
    model: Model, make_model: MakeModel
) -> None:
    cancel = Cancel()
    events = begin(model, words(model, 400), cancel)
    until_prefilled(events)
    cancel.request()
    list(events)
    _answers_like_new(model, make_model)


@by_ids
def test_a_turn_after_a_cancelled_decode_answers_as_if_nothing_had_been(
    model: Model, make_model: MakeModel
) -> None:
    cancel = Cancel()
    events = begin(model, words(model, 20), cancel, limit=480)
    until_text(events)
    cancel.request()
    list(events)
    _answers_like_new(model, make_model)


def test_a_turn_after_one_that_was_closed_in_prefill_answers_as_if_nothing_had_been(
    model: Model, make_model: MakeModel
) -> None:
    events = begin(model, words(model, 400), Cancel())
    until_prefilled(events)
    events.close()  # type: ignore[attr-defined]
    assert cells_of(model).cells() < 400
    _answers_like_new(model, make_model)


def test_a_turn_after_one_that_was_closed_in_decode_answers_as_if_nothing_had_been(
    model: Model, make_model: MakeModel
) -> None:
    events = begin(model, words(model, 20), Cancel(), limit=480)
    until_text(events)
    events.close()  # type: ignore[attr-defined]
    assert cells_of(model).cells() < 500
    _answers_like_new(model, make_model)


@by_ids
def test_a_prompt_that_does_not_fit_is_refused_and_harms_nothing(model: Model, make_model: MakeModel) -> None:
    ids = words(model, 20)
    first = said(model, ids)
    with pytest.raises(PromptTooLargeError, match="512"):
        answer(model, words(model, WINDOW))
    assert said(model, ids) == first
    _answers_like_new(model, make_model)


def test_an_answer_that_fills_the_window_ends_for_its_length(model: Model, make_model: MakeModel) -> None:
    given = answer(model, words(model, WINDOW - 6), limit=100)
    assert given.finish is Finish.LENGTH
    assert 6 <= len(given.text_ids) <= 7
    assert cells_of(model).cells() == WINDOW
    _answers_like_new(model, make_model)


def said(model: Model, ids: Ids) -> Generated:
    """An answer without what was cached for it."""
    return replace(answer(model, ids), usage=None)


def _answers_like_new(model: Model, make_model: MakeModel) -> None:
    """A new question gets the answer that a model gives which was asked nothing before."""
    fresh = make_model()
    list(fresh.load(Cancel()))
    ids = words(model, 50, first="afterwards")
    assert said(model, ids) == said(fresh, ids)
