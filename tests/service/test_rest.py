"""Answers that were cut and are gone on with, over a scripted model."""

from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Change, Finish
from ctxchat.domain.errors import EngineError, UsageError
from ctxchat.domain.events import TextGenerated
from ctxchat.domain.sampling import Sampling
from ctxchat.service.request import AskRequest, Reply
from ctxchat.service.turns import TurnService
from tests.support.characters import BracketTemplate
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

REST = AskRequest("", resume=True, reply=Reply.REST)


def go_on(question: str, **changes: object) -> AskRequest:
    return AskRequest(question, resume=True, **changes)  # type: ignore[arg-type]


def desk_of(folder: Path, *answers: str) -> Desk:
    return Desk(folder, ScriptedModel(list(answers)))


def said(desk: Desk) -> list[str]:
    return [message.spoken for message in desk.path()]


def test_an_answer_that_was_cut_by_its_limit_goes_on_where_it_ended(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "abcdef")
    cut = desk.ask(AskRequest("Letters?", sampling=Sampling(max_tokens=3)))
    assert (cut.answer, cut.finish) == ("abc", Finish.LENGTH)
    desk.model.answers[:] = ["def"]
    events = list(desk.events(REST))
    receipt = events[-1].receipt  # type: ignore[union-attr]
    assert [e.text for e in events if isinstance(e, TextGenerated)] == list("def")
    assert (receipt.answer, receipt.answer_tokens, receipt.finish) == ("def", 3, Finish.STOP)
    assert cut.prompt
    assert receipt.prompt
    assert receipt.kv
    assert receipt.prompt.ids == cut.prompt.ids + desk.model.vocabulary.tokenize(
        "abc", special=False, after=None
    )
    assert receipt.kv.evaluated == 1
    path = desk.record.path(receipt.session, "characters")
    assert [(m.spoken, m.finish) for m in path] == [("Letters?", None), ("abcdef", Finish.STOP)]
    assert path[-1].segments[-1].ids == desk.model.vocabulary.tokenize("abcdef", special=False, after=None)


def test_an_answer_that_was_stopped_goes_on_and_the_next_turn_reuses_all_of_it(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "abcdef", "def", "Ok.")
    cancel = Cancel()
    for event in desk.events("Letters?", cancel):
        if isinstance(event, TextGenerated) and event.text == "c":
            cancel.request()
    assert desk.path()[-1].finish is Finish.CANCELLED
    begun = desk.path()[-1].spoken
    desk.model.answers[0] = "abcdef"[len(begun) :]
    held = desk.model.cache.cells()
    desk.ask(REST)
    assert said(desk) == ["Letters?", "abcdef"]
    receipt = desk.ask(go_on("Thanks."))
    assert receipt.kv
    assert receipt.kv.reused >= held + len("abcdef") - len(begun)


def test_the_rest_of_an_answer_that_is_cut_again_goes_on_once_more(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "abcdef", "cdef", "ef")
    two = Sampling(max_tokens=2)
    desk.ask(AskRequest("Letters?", sampling=two))
    rest = AskRequest("", resume=True, reply=Reply.REST, sampling=two)
    assert desk.ask(rest).finish is Finish.LENGTH
    assert said(desk)[-1] == "abcd"
    desk.ask(AskRequest("", resume=True, reply=Reply.REST))
    assert said(desk) == ["Letters?", "abcdef"]
    turns = TurnService(desk.record)
    assert turns.undo(None).change is Change.REST
    assert said(desk)[-1] == "abcd"
    assert turns.undo(None).change is Change.REST
    assert said(desk)[-1] == "ab"


def test_a_whole_answer_has_no_rest(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Uno.")
    desk.ask("One?")
    with pytest.raises(UsageError, match="was not cut"):
        list(desk.events(REST))


def test_a_model_that_fails_at_the_rest_leaves_what_there_was(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "abcdef")
    desk.ask(AskRequest("Letters?", sampling=Sampling(max_tokens=3)))
    desk.model.answers[:] = [EngineError("it broke")]
    assert desk.ask(REST).finish is Finish.ERROR
    assert (said(desk)[-1], desk.path()[-1].finish) == ("abc", Finish.LENGTH)


def test_reasoning_that_was_cut_goes_on_as_reasoning(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel(["<think>It is so"], template=BracketTemplate(reasons=True)))
    cut = desk.ask(AskRequest("Why?", sampling=Sampling(max_tokens=11)))
    assert (cut.reasoning, cut.answer) == ("It i", "")
    desk.model.answers[:] = ["s so.</think>Yes."]
    receipt = desk.ask(REST)
    assert (receipt.reasoning, receipt.answer) == ("s so.", "Yes.")
    answer = desk.path()[-1]
    assert (answer.reasoning, answer.spoken) == ("It is so.", "Yes.")


def test_text_behind_reasoning_goes_on_as_text(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path, ScriptedModel(["<think>Hm.</think>Yes, and"], template=BracketTemplate(reasons=True))
    )
    desk.ask(AskRequest("Why?", sampling=Sampling(max_tokens=len("<think>Hm.</think>Yes"))))
    desk.model.answers[:] = [" <think>no"]
    desk.ask(REST)
    answer = desk.path()[-1]
    assert (answer.reasoning, answer.spoken) == ("Hm.", "Yes <think>no")


def test_what_does_not_fit_is_folded_for_the_rest_of_an_answer_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel(window=1024))
    for number in range(11):
        desk.ask(go_on(f"Question {number}?", sampling=Sampling(max_tokens=64)))
    for _ in range(4):
        receipt = desk.ask(AskRequest("", resume=True, reply=Reply.REST, sampling=Sampling(max_tokens=64)))
        assert receipt.error is None
    assert receipt.prompt
    assert receipt.prompt.summarized_turns > 0
    assert len(desk.path()[-1].spoken) == 5 * 64
