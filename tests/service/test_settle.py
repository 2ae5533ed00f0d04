"""What is read while the person reads, so that the next turn need not."""

from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Compacted, EngineEvent, Prefilled, Saving, Settling
from ctxchat.domain.sampling import Sampling
from ctxchat.service.request import AskRequest
from tests.support.characters import BracketTemplate
from tests.support.desk import Desk
from tests.support.scripted import ScriptedDisk, ScriptedModel

THOUGHT = "<think>" + "long thoughts " * 8 + "</think>"
ANSWER = "The answer, which is longer than a few words, so that reading it again takes a while."
QUESTION_AND_SCAFFOLD = 30


def reasoning_desk(folder: Path, *, stays: bool = True, **model: object) -> Desk:
    template = BracketTemplate(strips_reasoning=True, reasons=True)
    scripted = ScriptedModel([THOUGHT + ANSWER, THOUGHT + ANSWER], template=template, **model)  # type: ignore[arg-type]
    return Desk(folder, scripted, stays=stays)


def again(question: str) -> AskRequest:
    return AskRequest(question, resume=True)


def settled(desk: Desk, cancel: Cancel | None = None) -> list[Settling]:
    return [e for e in desk.service.tidy(cancel or Cancel()) if isinstance(e, Settling)]


@pytest.mark.parametrize("trims", [True, False])
def test_the_next_turn_evaluates_its_question_alone(tmp_path: Path, trims: bool) -> None:
    desk = reasoning_desk(tmp_path, trims=trims)
    desk.ask("One?")
    events = settled(desk)
    assert events[-1].done == events[-1].total >= len(ANSWER)
    receipt = desk.ask(again("Two?"))
    assert receipt.kv
    assert receipt.kv.evaluated <= len("Two?") + 2


def test_it_comes_behind_folding_and_before_saving(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel(window=1024), stays=True)
    sampling = Sampling(max_tokens=64)
    kinds: list[type] = []
    while Compacted not in kinds:
        desk.ask(AskRequest("Go on, will you?", resume=True, sampling=sampling))
        kinds = [type(event) for event in desk.service.tidy(Cancel())]
    assert kinds.index(Compacted) < kinds.index(Settling) < kinds.index(Saving)
    receipt = desk.ask(AskRequest("And?", resume=True, sampling=sampling))
    assert receipt.kv
    assert receipt.kv.evaluated < QUESTION_AND_SCAFFOLD


def test_what_is_settled_is_what_is_kept_on_disk(tmp_path: Path) -> None:
    disk = ScriptedDisk()
    desk = reasoning_desk(tmp_path, disk=disk)
    desk.ask("One?")
    assert settled(desk)
    (held,) = disk.held.values()
    assert ANSWER in desk.model.vocabulary.text(held)
    assert "thoughts" not in desk.model.vocabulary.text(held)


def test_a_turn_that_left_nothing_to_read_settles_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel([ANSWER]), stays=True)
    desk.ask("One?")
    assert settled(desk) == []
    assert len(desk.model.generations) == 1


def test_who_waits_for_the_prompt_waits_for_no_settling(tmp_path: Path) -> None:
    desk = reasoning_desk(tmp_path, stays=False)
    desk.ask("One?")
    assert settled(desk) == []


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_what_was_read_before_the_person_sent_is_not_read_again(tmp_path: Path, slices: int) -> None:
    cancel, seen = Cancel(), list[EngineEvent]()

    def stop(event: EngineEvent) -> None:
        settling = len(desk.model.generations) == 2
        seen.extend([event] if settling and isinstance(event, Prefilled) and event.done else [])
        if len(seen) == slices:
            cancel.request()

    desk = reasoning_desk(tmp_path, slice_length=16, on_event=stop)
    before = desk.ask("One?")
    events = settled(desk, cancel)
    assert events[-1].done < events[-1].total
    receipt = desk.ask(again("Two?"))
    assert before.prompt
    assert receipt.kv
    assert receipt.kv.reused >= before.prompt.total + 16 * (slices - 1)
    assert receipt.answer == ANSWER


def test_how_the_person_wants_it_to_reason_is_part_of_what_is_settled(tmp_path: Path) -> None:
    seen: list[bool | None] = []

    class Watched(BracketTemplate):
        def scaffold(self, roles, *, at, think, answer=True):  # type: ignore[no-untyped-def]
            seen.append(think)
            return super().scaffold(roles, at=at, think=think, answer=answer)

    model = ScriptedModel([THOUGHT + ANSWER], template=Watched(strips_reasoning=True, reasons=True))
    desk = Desk(tmp_path, model, stays=True)
    desk.ask(AskRequest("One?", think=False))
    seen.clear()
    assert settled(desk)
    assert False in seen
