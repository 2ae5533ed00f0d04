"""What holds of every model."""

from itertools import pairwise

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import Generated, Prefilled, ReasoningGenerated, TextGenerated
from ctxchat.domain.model import ReasoningTags
from ctxchat.domain.ports import Model
from tests.contract.conftest import BY_IDS, BY_MESSAGES, EVERY, FAST, MakeModel
from tests.support.turns import answer, begin, cells_of, words

every = pytest.mark.parametrize("make_model", EVERY, indirect=True)
by_ids = pytest.mark.parametrize("make_model", [*FAST, *BY_IDS], indirect=True)
anywhere = pytest.mark.parametrize("make_model", [*EVERY, *BY_IDS, BY_MESSAGES], indirect=True)


@anywhere
def test_prefill_comes_first_then_text_then_one_end(model: Model) -> None:
    events = list(begin(model, words(model, 80), Cancel()))
    kinds = [type(event) for event in events]
    prefilled = [event for event in events if isinstance(event, Prefilled)]
    texts = kinds[len(prefilled) : -1]
    assert kinds == [Prefilled] * len(prefilled) + [TextGenerated] * len(texts) + [Generated]
    assert prefilled[0] == Prefilled(0, 80)
    assert all(before.done < after.done for before, after in pairwise(prefilled))
    assert prefilled[-1] == Prefilled(80, 80)


@anywhere
def test_the_texts_joined_are_the_answer_and_the_text_of_its_ids(model: Model) -> None:
    *events, last = begin(model, words(model, 20), Cancel())
    assert isinstance(last, Generated)
    assert last.text == "".join(e.text for e in events if isinstance(e, TextGenerated))
    assert last.text == model.vocabulary.text(last.text_ids)
    assert (last.reasoning, last.reasoning_ids, last.aligned) == ("", (), True)


@every
def test_every_token_of_prompt_and_answer_is_in_a_cell(model: Model) -> None:
    ids = words(model, 20)
    given = answer(model, ids, limit=5)
    assert cells_of(model).cells() == 20 + len(given.text_ids)


@by_ids
def test_an_answer_ends_at_its_limit(model: Model) -> None:
    given = answer(model, words(model, 20), limit=7)
    assert given.finish is Finish.LENGTH
    assert len(given.text_ids) == 7


def test_a_limit_of_nothing_reads_the_prompt_alone(model: Model) -> None:
    assert answer(model, words(model, 20), limit=0) == Generated(Finish.LENGTH, "", ())
    assert cells_of(model).cells() == 20


@every
def test_the_next_turn_reuses_prompt_and_answer(model: Model) -> None:
    ids = words(model, 20)
    ids += answer(model, ids, limit=5).text_ids + words(model, 9)
    plan = cells_of(model).plan(ids, 5)
    first = next(begin(model, ids, Cancel(), limit=5))
    assert (plan.reused, plan.evaluated, plan.agreed) == (len(ids) - 9, 9, plan.held)
    assert first == Prefilled(0, plan.evaluated)


def test_the_same_prompt_again_evaluates_its_last_token_and_answers_the_same(model: Model) -> None:
    ids = words(model, 20)
    first = answer(model, ids)
    assert cells_of(model).plan(ids, 12).evaluated == 1
    assert answer(model, ids) == first


@by_ids
def test_another_model_of_the_file_answers_the_same(model: Model, make_model: MakeModel) -> None:
    other = make_model()
    list(other.load(Cancel()))
    ids = words(model, 20)
    assert answer(other, ids) == answer(model, ids)


def test_reuse_ends_where_the_prompt_differs_and_says_so(model: Model) -> None:
    ids = words(model, 40)
    held = 40 + len(answer(model, ids).text_ids)
    changed = (*ids[:15], *words(model, 20, first="another"))
    plan = cells_of(model).plan(changed, 12)
    assert (plan.reused, plan.evaluated) == (15, len(changed) - 15)
    assert (plan.agreed, plan.held) == (15, held)
    answer(model, changed)
    assert cells_of(model).plan(changed, 12).evaluated == 1


@anywhere
def test_an_answer_ends_before_a_stop_string(model: Model) -> None:
    ids = words(model, 20)
    whole = answer(model, ids, limit=30).text
    stop = whole[10:12]
    stopped = answer(model, ids, limit=30, stop=(stop,))
    assert stopped.finish is Finish.STOP
    assert stopped.text == whole[: whole.index(stop)]


@by_ids
def test_reasoning_is_told_apart_from_the_text_that_follows(model: Model) -> None:
    ids = words(model, 20)
    whole = answer(model, ids, limit=30)
    tags = ReasoningTags(opening="<think>", closing=whole.text[10:12])
    *events, last = begin(model, ids, Cancel(), limit=30, tags=tags, in_reasoning=True)
    before, _, after = whole.text.partition(tags.closing)
    assert isinstance(last, Generated)
    assert (last.reasoning, last.text) == (before, after.lstrip())
    assert last.reasoning == "".join(e.text for e in events if isinstance(e, ReasoningGenerated))
    assert last.reasoning_ids + last.text_ids == whole.text_ids


@anywhere
def test_a_cancelled_load_loads_nothing_and_can_be_repeated(make_model: MakeModel) -> None:
    model = make_model()
    cancel = Cancel()
    cancel.request()
    list(model.load(cancel))
    with pytest.raises(EngineError, match="not loaded"):
        _ = model.facts
    list(model.load(Cancel()))
    assert model.facts.name


@anywhere
def test_a_load_cancelled_on_its_way_loads_nothing(make_model: MakeModel) -> None:
    model = make_model()
    cancel = Cancel()
    loading = model.load(cancel)
    next(loading)
    loading.close()  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match="not loaded"):
        _ = model.facts


@anywhere
def test_loading_reports_bytes_and_happens_once(make_model: MakeModel) -> None:
    model = make_model()
    steps = list(model.load(Cancel()))
    assert all(before.done < after.done for before, after in pairwise(steps))
    assert steps[-1].done == steps[-1].total > 0
    assert list(model.load(Cancel())) == []


@anywhere
def test_an_empty_prompt_is_refused(model: Model) -> None:
    with pytest.raises(EngineError, match="empty"):
        answer(model, ())


def test_memory_is_told_in_bytes(model: Model) -> None:
    answer(model, words(model, 20))
    memory, cache = model.memory(), cells_of(model)
    assert memory.weights == model.facts.weights > 0
    assert memory.kv == cache.capacity * cache.bytes_per_token > 0


@anywhere
def test_closing_twice_does_no_harm_and_leaves_nothing_loaded(model: Model) -> None:
    answer(model, words(model, 20))
    model.close()
    model.close()
    with pytest.raises(EngineError, match="not loaded"):
        answer(model, (1, 2, 3))
