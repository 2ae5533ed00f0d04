from pathlib import Path

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish, Role, Section
from ctxchat.domain.errors import EngineError, ModelError, UsageError
from ctxchat.domain.events import (
    CostPredicted,
    ModelLoading,
    Prefilled,
    PromptBuilt,
    TextGenerated,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.domain.sampling import Sampling
from ctxchat.service.chat import ChatService
from ctxchat.service.clock import SystemClock
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.service.request import AskRequest
from ctxchat.service.texts import Texts
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.characters import BracketTemplate
from tests.support.desk import REQUESTS, WORDING, Desk
from tests.support.scripted import BYTES_PER_TOKEN, ScriptedModel


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, ScriptedModel(["Uno.", "Due.", "Tre."]))


def again(question: str, **changes: object) -> AskRequest:
    return AskRequest(question, resume=True, **changes)  # type: ignore[arg-type]


def test_a_turn_is_a_line_of_events_that_ends_with_its_receipt(desk: Desk) -> None:
    events = list(desk.events("One?"))
    kinds = list(dict.fromkeys(type(event) for event in events))
    assert kinds == [ModelLoading, PromptBuilt, CostPredicted, Prefilled, TextGenerated, TurnFinished]
    assert sum(isinstance(event, TurnFinished) for event in events) == 1


def test_the_receipt_adds_up(desk: Desk) -> None:
    desk.ask("One?")
    receipt = desk.ask(again("Two?", attachments=(Attachment("f", "data"),)))
    assert receipt.prompt
    assert receipt.kv
    assert sum(receipt.prompt.sections.values()) == receipt.prompt.total
    assert receipt.kv.reused + receipt.kv.evaluated == receipt.prompt.total
    assert receipt.kv.cells == receipt.prompt.total + len("Due.")
    assert receipt.kv.bytes == receipt.kv.cells * BYTES_PER_TOKEN
    assert receipt.answer_tokens == len("Due.")
    assert receipt.prompt.verbatim_turns == 1
    assert receipt.finish is Finish.STOP
    assert receipt.latency.prefill is not None


def test_the_next_prompt_extends_this_one_and_its_answer(desk: Desk) -> None:
    desk.ask("One?")
    desk.ask(again("Two?"))
    first, second = desk.model.generations
    assert tuple(second.ids[: len(first.ids)]) == tuple(first.ids)
    assert desk.ask(again("Three?")).kv.miss is None  # type: ignore[union-attr]


def test_the_question_is_written_down_before_the_model_sees_it(tmp_path: Path) -> None:
    seen: list[tuple[str, bool]] = []
    model = ScriptedModel(
        ["Uno."], on_event=lambda _: seen.extend((m.spoken, m.answered) for m in desk.path())
    )
    desk = Desk(tmp_path, model)
    desk.ask("One?")
    assert seen[0] == ("One?", False)
    assert [(m.spoken, m.answered) for m in desk.path()] == [("One?", True), ("Uno.", True)]


def test_a_conversation_is_named_by_its_first_question(desk: Desk) -> None:
    desk.ask("What is a KV cache?")
    assert desk.record.find("What is a KV cache?")


@pytest.mark.parametrize("moment", [ModelLoading, PromptBuilt, Prefilled, TextGenerated])
def test_a_turn_can_be_cancelled_in_every_phase(tmp_path: Path, moment: type) -> None:
    desk, cancel = Desk(tmp_path, ScriptedModel(["Uno, due, tre."], slice_length=4)), Cancel()
    last: TurnEvent | None = None
    for event in desk.events("One?", cancel):
        last = event
        if isinstance(event, moment):
            cancel.request()
    assert isinstance(last, TurnFinished)
    assert last.receipt.finish is Finish.CANCELLED
    assert last.receipt.error is None
    said = [m.spoken for m in desk.path()]
    assert said == (["One?", "U"] if moment is TextGenerated else ["One?"])
    assert desk.ask(again("Two?")).finish in (Finish.STOP, Finish.LENGTH)


def test_closing_a_turn_keeps_the_part_of_the_answer_there_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel(["Uno, due, tre."]))
    events = desk.events("One?")
    next(event for event in events if isinstance(event, TextGenerated))
    events.close()  # type: ignore[attr-defined]
    question, answer = desk.path()
    assert question.answered
    assert "Uno, due, tre.".startswith(answer.spoken)
    assert answer.finish is Finish.CANCELLED
    assert desk.ask(again("Two?")).prompt.verbatim_turns == 1  # type: ignore[union-attr]


def test_a_model_that_fails_leaves_the_question_and_a_turn_that_works(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel([EngineError("it broke"), "Due."]))
    receipt = desk.ask("One?")
    assert receipt.error
    assert (receipt.error.code, receipt.error.message) == (1, "it broke")
    assert receipt.finish is Finish.ERROR
    assert desk.ask(again("Two?")).answer == "Due."
    assert [(m.spoken, m.answered) for m in desk.path()] == [("One?", False), ("Two?", True), ("Due.", True)]
    assert "One?" not in desk.model.vocabulary.text(desk.model.generations[-1].ids)


def test_a_model_that_is_not_there_leaves_the_question(tmp_path: Path, desk: Desk) -> None:
    def missing() -> OpenedModel:
        raise ModelError("no such model")

    service = ChatService(missing, desk.record, SystemClock(), Texts(WORDING, REQUESTS, ""))
    *_, last = service.ask(AskRequest("One?"), Cancel())
    assert isinstance(last, TurnFinished)
    assert last.receipt.error
    assert last.receipt.error.code == 3
    assert last.receipt.session
    assert [m.spoken for m in desk.path()] == ["One?"]


def test_a_prompt_that_does_not_fit_is_refused_with_its_receipt(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel(window=100))
    receipt = desk.ask("x" * 200)
    assert receipt.error
    assert receipt.error.code == 4
    assert receipt.prompt
    assert receipt.prompt.total > 200
    assert desk.model.generations == []
    assert [m.answered for m in desk.path()] == [False]


def test_what_is_not_recorded_leaves_nothing_behind(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel())
    receipt = desk.ask(AskRequest("One?", record=False, sampling=Sampling(max_tokens=4)))
    assert receipt.session is None
    assert receipt.answer
    assert list(tmp_path.iterdir()) == []


def test_without_a_record_a_conversation_is_read_and_not_written(desk: Desk) -> None:
    first = desk.ask("One?")
    receipt = desk.ask(again("Two?", record=False))
    assert receipt.session == first.session
    assert receipt.prompt
    assert receipt.prompt.verbatim_turns == 1
    assert len(desk.path()) == 2


def test_a_dry_run_sends_and_writes_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel())
    receipt = desk.ask(AskRequest("One?", dry_run=True))
    assert receipt.prompt
    assert receipt.kv
    assert receipt.kv.cells == receipt.prompt.total
    assert receipt.finish is None
    assert receipt.answer_tokens is None
    assert desk.model.generations == []
    assert list(tmp_path.iterdir()) == []


def test_a_fork_answers_in_a_copy(desk: Desk) -> None:
    original = desk.ask("One?").session
    copy = desk.ask(again("Two?", fork=True)).session
    assert original
    assert copy
    assert copy != original
    assert [m.spoken for m in desk.record.path(original)] == ["One?", "Uno."]
    assert [m.spoken for m in desk.record.path(copy)] == ["One?", "Uno.", "Two?", "Due."]


def test_a_session_is_made_where_its_name_is_new_and_gone_on_with_where_not(desk: Desk) -> None:
    first = desk.ask(AskRequest("One?", session="work"))
    second = desk.ask(AskRequest("Two?", session="work"))
    assert first.session == second.session
    assert len(desk.path()) == 4


def test_going_on_where_there_is_nothing_begins_a_conversation(desk: Desk) -> None:
    assert desk.ask(again("One?")).session


def test_the_system_message_is_that_of_the_first_turn(desk: Desk) -> None:
    desk.ask(AskRequest("One?", system="Sing."))
    with pytest.raises(UsageError, match="system"):
        desk.ask(again("Two?", system="Dance.", fork=True))
    assert len(desk.record.listing()) == 1
    desk.ask(again("Two?"))
    assert "<system>Sing.<end>" in desk.model.vocabulary.text(desk.model.generations[-1].ids)


def test_pins_of_a_new_conversation_stand_first_and_later_ones_ride_along(desk: Desk) -> None:
    desk.ask(AskRequest("One?", pins=("first",)))
    desk.ask(again("Two?", pins=("late",)))
    receipt = desk.ask(again("Three?"))
    sent = desk.model.vocabulary.text(desk.model.generations[-1].ids)
    assert sent.index("first") < sent.index("One?") < sent.index("late") < sent.index("Two?")
    assert receipt.prompt
    assert receipt.prompt.sections[Section.PINS] == len("firstlate")
    first, second, third = (tuple(g.ids) for g in desk.model.generations)
    assert second[: len(first)] == first
    assert third[: len(second)] == second


def test_a_conversation_that_is_held_elsewhere_is_an_error_of_the_store(tmp_path: Path, desk: Desk) -> None:
    session = desk.ask("One?").session
    assert session
    other = SqliteConversations(Database(tmp_path / "store.sqlite3"))
    with other.hold(session):
        receipt = desk.ask(again("Two?"))
    assert receipt.error
    assert receipt.error.code == 6
    assert len(desk.path()) == 2


def test_an_answer_at_its_limit_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel())
    receipt = desk.ask(AskRequest("One?", sampling=Sampling(max_tokens=5)))
    assert receipt.finish is Finish.LENGTH
    assert receipt.answer_tokens == 5
    assert desk.path()[-1].finish is Finish.LENGTH


def test_the_notice_of_how_a_model_was_chosen_is_given_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel(), notice="the bundled one")
    said = [e for q in ("One?", "Two?") for e in desk.events(q) if isinstance(e, Warned)]
    assert said == [Warned("the bundled one")]


def test_a_switch_the_template_does_not_have_is_said(desk: Desk) -> None:
    warnings = [e.message for e in desk.events(AskRequest("One?", think=False)) if isinstance(e, Warned)]
    assert any("--no-think" in warning for warning in warnings)


def test_reasoning_that_is_stripped_from_history_stays_on_record(tmp_path: Path) -> None:
    template = BracketTemplate(strips_reasoning=True, reasons=True)
    desk = Desk(tmp_path, ScriptedModel(["<think>hm</think>Uno.", "Due."], template=template))
    receipt = desk.ask("One?")
    assert (receipt.reasoning, receipt.answer) == ("hm", "Uno.")
    desk.ask(again("Two?"))
    sent = desk.model.vocabulary.text(desk.model.generations[-1].ids)
    assert "hm" not in sent
    assert "Uno." in sent
    answers = [m for m in desk.path() if m.role is Role.ASSISTANT]
    assert answers[0].reasoning == "hm"
