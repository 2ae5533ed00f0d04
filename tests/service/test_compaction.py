"""Folding old turns, over a scripted model and a real store."""

from itertools import pairwise
from pathlib import Path

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish, Omission, Section
from ctxchat.domain.errors import EngineError, UsageError
from ctxchat.domain.events import Compacted, Compacting, PromptBuilt, TextGenerated
from ctxchat.domain.sampling import Sampling
from ctxchat.domain.summary import SummaryOrigin
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.request import AskRequest
from ctxchat.service.summaries import SummaryService
from tests.support.characters import BracketTemplate
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

WINDOW = 1024
SAMPLING = Sampling(max_tokens=64)


def asked(question: str, **changes: object) -> AskRequest:
    return AskRequest(question, resume=True, sampling=SAMPLING, **changes)  # type: ignore[arg-type]


def desk_of(folder: Path, window: int = WINDOW, **policy: object) -> Desk:
    model = ScriptedModel(window=window)
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
        if any(isinstance(event, Compacting) for event in events):
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


FACTS = ("Ingrid Solheim", "4711", "/home/ingrid/thesis.tex")


def compacted(desk: Desk, wanted: int) -> None:
    """Talk until so many compactions have been made; facts are told in the third turn."""
    done = number = 0
    while done < wanted:
        number += 1
        told = "I am Ingrid Solheim, my locker is 4711 and my thesis is /home/ingrid/thesis.tex."
        receipt = desk.ask(asked(told if number == 3 else f"What of number {number}, then?"))
        assert receipt.error is None
        desk.model.answers[:] = ["la la la la la la la la la la la la"]
        done += sum(isinstance(event, Compacted) for event in desk.service.tidy(Cancel()))
        desk.model.answers.clear()


def test_facts_stand_word_for_word_after_three_compactions_whatever_the_model_wrote(tmp_path: Path) -> None:
    """A token is a letter here: 4,096 of them are as much text as a window of 1,024 holds."""
    desk = desk_of(tmp_path, window=4 * WINDOW)
    compacted(desk, 3)
    summary = "\n".join(block.text for block in desk.blocks())
    assert [fact for fact in FACTS if fact not in summary] == []


def test_facts_stand_or_are_found_after_forty_compactions(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    compacted(desk, 40)
    summary = "\n".join(block.text for block in desk.blocks())
    for fact in FACTS:
        found = any(fact in hit.text for hit in desk.record.search(fact, 5))
        assert fact in summary or found
        assert found


def test_blocks_are_merged_when_they_pass_their_share(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    counts = []
    for _ in range(8):
        compacted(desk, 1)
        counts.append(len(desk.blocks()))
    assert max(counts) > 1
    assert any(later < former for former, later in pairwise(counts))
    assert sum(block.turns for block in desk.blocks()) > 10


def test_answers_cut_and_cancelled_and_single_words_are_folded_like_others(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    for number in range(30):
        cancel = Cancel()
        for event in desk.events(asked("Hm" if number % 3 else "Tell me of it at length, please."), cancel):
            if number % 4 == 0 and isinstance(event, TextGenerated):
                cancel.request()
        list(desk.service.tidy(Cancel()))
    finishes = {message.finish for message in desk.path()}
    assert {Finish.LENGTH, Finish.CANCELLED} <= finishes
    assert len(desk.blocks()) > 0


def test_all_but_the_last_turn_can_be_folded_now(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    for number in range(4):
        desk.ask(asked(f"Question {number}?"))
    conversation = desk.record.latest()
    assert conversation
    list(desk.service.compact(conversation, 64, Cancel()))
    assert sum(block.turns for block in desk.blocks()) == 3
    with pytest.raises(UsageError, match="nothing to fold"):
        list(desk.service.compact(conversation, 64, Cancel()))


def test_a_summary_is_as_large_as_its_compaction_said(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    for number in range(4):
        desk.ask(asked(f"Question {number}?", attachments=(Attachment("f", "not counted"),)))
    conversation = desk.record.latest()
    assert conversation
    desk.record.leave_out(conversation.id, desk.path()[2].id, Omission.TURN)
    conversation = desk.record.find(conversation.id)
    assert conversation
    events = list(desk.service.compact(conversation, 64, Cancel()))
    (folded,) = (event for event in events if isinstance(event, Compacted))
    service = SummaryService(desk.record)
    (size,) = service.sizes(service.shown(None), desk.model.vocabulary)
    assert (size.before, size.after, size.exact) == (folded.before, folded.after, True)


def test_an_undone_compaction_sends_the_turns_word_for_word_again(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    for number in range(4):
        desk.ask(asked(f"Question {number}?"))
    conversation = desk.record.latest()
    assert conversation
    list(desk.service.compact(conversation, 64, Cancel()))
    assert desk.record.undo_compaction(conversation.id)
    receipt = desk.ask(asked("And?"))
    assert receipt.prompt
    assert (receipt.prompt.summarized_turns, receipt.prompt.verbatim_turns) == (0, 4)


def test_late_pins_move_forward_when_turns_are_folded(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    for number in range(3):
        desk.ask(asked(f"Question {number}?", pins=("keep me",) if number == 1 else ()))
    conversation = desk.record.latest()
    assert conversation
    list(desk.service.compact(conversation, 64, Cancel()))
    receipt = desk.ask(asked("And?"))
    assert receipt.prompt
    assert receipt.prompt.sections[Section.PINS] == len("keep me")
    sent = desk.model.vocabulary.text(desk.model.generations[-1].ids)
    assert sent.count("keep me") == 1
    assert sent.index("keep me") < sent.index("So far:")


def test_reasoning_of_earlier_turns_gives_way_before_anything_that_was_said(tmp_path: Path) -> None:
    template = BracketTemplate(reasons=True)
    desk = Desk(tmp_path, ScriptedModel(window=WINDOW, template=template))
    for _ in range(3):
        desk.model.answers[:] = [f"<think>{'hm ' * 60}</think>Yes."]
        desk.ask(asked("Go on?"))
    kept = desk.ask(asked("And?"))
    squeezed = desk.ask(asked("x" * 720))
    assert kept.prompt
    assert squeezed.prompt
    assert "hm hm" in "".join(piece.text for piece in kept.prompt.pieces)
    assert "hm hm" not in "".join(piece.text for piece in squeezed.prompt.pieces)
    assert squeezed.prompt.summarized_turns == 0
    assert desk.blocks() == ()
