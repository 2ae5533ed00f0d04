"""Folding old turns, over a scripted model and a real store."""

from itertools import pairwise
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish, Section
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import Compacted, Compacting, PromptBuilt
from ctxchat.domain.sampling import Sampling
from ctxchat.domain.summary import SummaryOrigin
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.request import AskRequest
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

WINDOW = 1024
SAMPLING = Sampling(max_tokens=64)


def asked(question: str, **changes: object) -> AskRequest:
    return AskRequest(question, resume=True, sampling=SAMPLING, **changes)  # type: ignore[arg-type]


def desk_of(folder: Path, answers: list[str | EngineError] | None = None, **policy: object) -> Desk:
    model = ScriptedModel(answers or [], window=WINDOW)
    return Desk(folder, model, policy=WindowPolicy(**policy))  # type: ignore[arg-type]


def test_a_conversation_goes_on_for_ever_in_a_small_window(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    prompts, folded = [], 0
    for number in range(60):
        for event in desk.events(asked(f"Question {number} of many, is it?")):
            if isinstance(event, PromptBuilt):
                prompts.append(event.prompt)
            folded += isinstance(event, Compacted)
        folded += sum(isinstance(event, Compacted) for event in desk.service.tidy(Cancel()))
    assert folded >= 3
    for prompt in prompts:
        assert prompt.total + prompt.reserve <= WINDOW
    for number, prompt in enumerate(prompts):
        assert prompt.summarized_turns + prompt.verbatim_turns == number
    assert len(desk.path()) == 120


def test_it_is_folded_while_the_person_reads_and_rarely(tmp_path: Path) -> None:
    """Between two compactions as much is said as lies between landing and trigger."""
    desk = desk_of(tmp_path)
    usable = WINDOW - 64
    totals: list[int] = []
    at: list[int] = []
    for number in range(80):
        receipt = desk.ask(asked(f"Question {number}?"))
        assert receipt.prompt
        totals.append(receipt.prompt.total)
        if any(isinstance(event, Compacted) for event in desk.service.tidy(Cancel())):
            at.append(number)
    assert len(at) >= 3
    spoken_a_turn = max(b - a for a, b in pairwise(totals))
    for former, later in pairwise(at):
        assert (later - former) * spoken_a_turn >= 0.9 * (0.8 - 0.45) * usable
    assert max(totals) <= usable


def test_the_summary_is_asked_beside_the_chat_and_shares_its_beginning(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    while not any(isinstance(event, Compacted) for event in desk.service.tidy(Cancel())):
        desk.ask(asked("Go on?"))
    before, aside = desk.model.generations[-2:]
    assert aside.aside
    assert not before.aside
    shared = sum(1 for _ in zip(before.ids, aside.ids, strict=False))
    same = next((n for n, (a, b) in enumerate(zip(before.ids, aside.ids, strict=False)) if a != b), shared)
    assert same > 0.3 * len(before.ids)


@pytest.mark.parametrize(
    "answer", ["", "I'm sorry, I can't do that.", "so so so so so so so so so so so so so so"]
)
def test_a_summary_that_cannot_be_used_gives_way_to_a_digest(tmp_path: Path, answer: str) -> None:
    desk = desk_of(tmp_path)
    desk.ask(asked("My dog is called Barnaby and the code is 4711."))
    for _ in range(20):
        desk.ask(asked("Go on, please, and say a little more about it?"))
        desk.model.answers[:] = [answer]
        events = list(desk.service.tidy(Cancel()))
        desk.model.answers.clear()
        if any(isinstance(event, Compacted) for event in events):
            break
    (compacted,) = (event for event in events if isinstance(event, Compacted))
    assert compacted.origin is SummaryOrigin.DIGEST
    (block,) = desk.blocks()
    assert "Barnaby" in block.text
    assert "4711" in block.text


def test_a_model_that_fails_at_the_summary_does_not_fail_the_turn(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    for _ in range(20):
        desk.ask(asked("Go on, please, and say a little more about it?"))
        desk.model.answers[:] = [EngineError("it broke")]
        events = list(desk.service.tidy(Cancel()))
        desk.model.answers.clear()
        if events:
            break
    assert any(isinstance(event, Compacted) for event in events)
    assert desk.ask(asked("And?")).finish is Finish.LENGTH


def test_a_cancelled_compaction_changes_nothing(tmp_path: Path) -> None:
    desk, cancel = desk_of(tmp_path), Cancel()
    compacting = None
    while compacting is None:
        desk.ask(asked("Go on?"))
        for event in desk.service.tidy(cancel):
            if isinstance(event, Compacting):
                compacting = event
                cancel.request()
    assert desk.blocks() == ()
    assert desk.ask(asked("And?")).error is None


def test_what_does_not_fit_is_folded_in_the_turn_and_its_time_is_told(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    for _ in range(8):
        desk.ask(asked("Go on?"))
    receipt = desk.ask(asked("x" * 500))
    assert receipt.error is None
    assert receipt.prompt
    assert receipt.prompt.summarized_turns > 0
    assert receipt.prompt.sections[Section.SUMMARY] > 0
    assert receipt.latency.compaction is not None


def test_refuse_folds_nothing_and_exits_4(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, folds=False)
    for _ in range(7):
        desk.ask(asked("Go on?"))
    receipt = desk.ask(asked("x" * 500))
    assert receipt.error
    assert receipt.error.code == 4
    assert desk.blocks() == ()


def test_a_budget_is_the_largest_prompt(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, budget=300)
    for number in range(12):
        receipt = desk.ask(asked(f"Question {number}?"))
        assert receipt.error is None
        assert receipt.prompt
        assert receipt.prompt.total <= 300


def test_a_giant_question_is_refused_and_nothing_is_folded_for_it_in_vain(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask(asked("Go on?"))
    receipt = desk.ask(asked("x" * 10 * WINDOW))
    assert receipt.error
    assert receipt.error.code == 4
    assert desk.blocks() == ()


def test_without_a_record_a_compaction_is_not_recorded(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    for _ in range(8):
        desk.ask(asked("Go on?"))
    receipt = desk.ask(asked("x" * 500, record=False))
    assert receipt.prompt
    assert receipt.prompt.summarized_turns > 0
    assert desk.blocks() == ()
