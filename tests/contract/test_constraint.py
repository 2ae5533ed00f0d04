"""What holds of every model that is told what its answer looks like."""

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Generated
from ctxchat.domain.ports import Model
from ctxchat.engine.grammar.follower import grammar_of
from tests.contract.conftest import BY_IDS, EVERY, FAST
from tests.support.turns import answer, begin, cells_of, until_text, words

every = pytest.mark.parametrize("make_model", EVERY, indirect=True)
by_ids = pytest.mark.parametrize("make_model", [*FAST, *BY_IDS], indirect=True)
anywhere = pytest.mark.parametrize("make_model", [*EVERY, *BY_IDS], indirect=True)

LETTERS = Constraint("root ::= [a-z]{3} [0-9]{2}")
LONG = Constraint("root ::= [a-z ]{40,}")


def given(model: Model, constraint: Constraint, *, limit: int = 20, **options: object) -> Generated:
    *_, last = begin(model, words(model, 20), Cancel(), limit=limit, constraint=constraint, **options)  # type: ignore[arg-type]
    assert isinstance(last, Generated)
    return last


@anywhere
def test_an_answer_is_what_its_grammar_allows_and_stops_there(model: Model) -> None:
    last = given(model, LETTERS)
    assert grammar_of(LETTERS.grammar).allows(last.text)
    assert (last.finish, last.satisfied) == (Finish.STOP, True)
    assert last.text == model.vocabulary.text(last.text_ids)


@every
def test_every_token_of_a_constrained_answer_is_in_a_cell(model: Model) -> None:
    last = given(model, LETTERS)
    assert cells_of(model).cells() == 20 + len(last.text_ids)


@anywhere
def test_an_answer_that_is_cut_before_it_satisfies_says_so(model: Model) -> None:
    last = given(model, LETTERS, limit=1)
    assert (last.finish, last.satisfied) == (Finish.LENGTH, False)


@by_ids
def test_a_constrained_answer_is_cancelled_and_another_follows(model: Model) -> None:
    cancel = Cancel()
    events = begin(model, words(model, 20), cancel, limit=100, constraint=LONG)
    until_text(events)
    cancel.request()
    *_, last = events
    assert isinstance(last, Generated)
    assert last.finish is Finish.CANCELLED
    assert given(model, LETTERS).satisfied


@by_ids
def test_a_constraint_does_not_outlive_its_answer(model: Model) -> None:
    ids = words(model, 20)
    free = answer(model, ids)
    given(model, LETTERS)
    assert answer(model, ids) == free
