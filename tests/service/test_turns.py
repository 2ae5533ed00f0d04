"""Turns answered again, gone on with, edited, deleted and brought back, over a scripted model."""

from pathlib import Path

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Change, Finish
from ctxchat.domain.errors import EngineError, UsageError
from ctxchat.domain.events import Prefilled
from ctxchat.domain.kv import Snapshots
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.service.conversations import ConversationService
from ctxchat.service.pins import PinService
from ctxchat.service.request import AskRequest, Reply
from ctxchat.service.turns import TurnService
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.desk import Desk
from tests.support.scripted import ScriptedDisk, ScriptedModel

AGAIN = AskRequest("", resume=True, reply=Reply.AGAIN)
REST = AskRequest("", resume=True, reply=Reply.REST)


def go_on(question: str, **changes: object) -> AskRequest:
    return AskRequest(question, resume=True, **changes)  # type: ignore[arg-type]


def desk_of(folder: Path, *answers: str) -> Desk:
    return Desk(folder, ScriptedModel(list(answers)))


def turns_of(desk: Desk) -> TurnService:
    return TurnService(desk.record)


def said(desk: Desk) -> list[str]:
    return [message.spoken for message in desk.path()]


def prompt_text(desk: Desk, generation: Generation) -> str:
    return desk.model.vocabulary.text(generation.ids)


def test_another_answer_takes_the_place_of_the_last_and_reads_one_token(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Uno.", "Due.", "Deux.", "Tre.")
    desk.ask("One?")
    former = desk.ask(go_on("Two?", attachments=(Attachment("f", "data"),)))
    receipt = desk.ask(AGAIN)
    assert said(desk) == ["One?", "Uno.", "Two?", "Deux."]
    assert former.prompt
    assert receipt.prompt
    assert receipt.kv
    assert receipt.prompt.ids == former.prompt.ids
    assert receipt.kv.evaluated == 1
    assert receipt.kv.reused == receipt.prompt.total - 1
    desk.ask(go_on("Three?"))
    assert "Deux." in prompt_text(desk, desk.model.generations[-1])
    assert "Due." not in prompt_text(desk, desk.model.generations[-1])


def test_a_question_without_an_answer_is_answered_again_and_there_is_nothing_to_undo(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.model.answers[:] = [EngineError("it broke"), "Uno."]  # type: ignore[list-item]
    assert desk.ask("One?").finish is Finish.ERROR
    assert desk.ask(AGAIN).finish is Finish.STOP
    assert said(desk) == ["One?", "Uno."]
    assert all(message.answered for message in desk.path())
    assert turns_of(desk).can_undo(None) is None


def test_a_new_answer_that_fails_or_never_begins_leaves_the_old_one(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Uno.")
    desk.ask("One?")
    desk.model.answers.append(EngineError("it broke"))
    assert desk.ask(AGAIN).finish is Finish.ERROR
    cancel = Cancel()
    cancel.request()
    assert desk.ask(AGAIN, cancel).finish is Finish.CANCELLED
    assert said(desk) == ["One?", "Uno."]
    assert turns_of(desk).can_undo(None) is None


@pytest.mark.parametrize("request_", [AGAIN, REST])
def test_where_nothing_was_asked_nothing_is_answered_again(tmp_path: Path, request_: AskRequest) -> None:
    desk = desk_of(tmp_path, "Uno.")
    with pytest.raises(UsageError, match="no such conversation"):
        list(desk.events(request_))
    assert desk.record.listing() == []
    desk.ask("One?")
    turns_of(desk).delete(None)
    with pytest.raises(UsageError, match="no question"):
        list(desk.events(request_))


def test_a_question_is_edited_and_what_followed_stays_in_the_tree(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Uno.", "Due.", "Tre.", "Zwei.")
    desk.ask("One?")
    desk.ask(go_on("Two?", attachments=(Attachment("f.txt", "data\n"),)))
    desk.ask(go_on("Three?"))
    before = desk.path()
    composed = turns_of(desk).edit(None, before[3].id)
    assert (composed.text, composed.turns) == ("Two?", 2)
    assert composed.attachments == (Attachment("f.txt", "data\n"),)
    assert said(desk) == ["One?", "Uno."]
    desk.ask(go_on("Zwo?"))
    assert said(desk) == ["One?", "Uno.", "Zwo?", "Zwei."]
    assert turns_of(desk).undo(None).change is Change.EDIT
    assert desk.path() == before


def test_the_first_question_can_be_edited(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Uno.", "Eins.")
    desk.ask("One?")
    assert turns_of(desk).edit(None).text == "One?"
    assert desk.path() == ()
    desk.ask(go_on("Eins?"))
    assert said(desk) == ["Eins?", "Eins."]


def test_turns_are_deleted_and_brought_back_after_the_program_was_left(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Uno.", "Due.", "Tre.")
    for question in ("One?", "Two?", "Three?"):
        desk.ask(go_on(question))
    turns_of(desk).delete(None)
    assert said(desk) == ["One?", "Uno.", "Two?", "Due."]
    turns_of(desk).delete(None, desk.path()[0].id[:6])
    assert said(desk) == []
    desk.database.close()
    later = TurnService(SqliteConversations(Database(tmp_path / "store.sqlite3")))
    assert later.can_undo(None) is Change.DELETE
    assert [later.undo(None).change for _ in range(2)] == [Change.DELETE, Change.DELETE]
    assert said(desk) == ["One?", "Uno.", "Two?", "Due.", "Three?", "Tre."]
    with pytest.raises(UsageError, match="nothing to undo"):
        later.undo(None)


def test_what_was_said_since_a_change_leaves_with_it_and_is_not_lost(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Uno.", "Due.", "Tre.")
    desk.ask("One?")
    turns_of(desk).delete(None)
    desk.ask(go_on("Two?"))
    lost = desk.path()[-1].id
    turns_of(desk).undo(None)
    assert said(desk) == ["One?", "Uno."]
    other = desk.ask(AskRequest("Other?"))
    assert other.session
    desk.record.delete(other.session)
    with desk.database.reading() as connection:
        assert connection.execute("SELECT 1 FROM message WHERE id = ?", (lost,)).fetchone()


@pytest.mark.parametrize("message", ["nowhere", "m"])
def test_a_message_that_is_not_there_is_said(tmp_path: Path, message: str) -> None:
    desk = desk_of(tmp_path, "Uno.")
    desk.ask("One?")
    with pytest.raises(UsageError, match=f'"{message}" is no message of "One'):
        turns_of(desk).edit(None, message)


def test_nothing_is_deleted_where_nothing_was_said(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.record.create("empty", "")
    with pytest.raises(UsageError, match="nothing was said"):
        turns_of(desk).delete(None)


def test_a_pin_that_rode_in_a_deleted_turn_rides_in_the_next(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Uno.", "Due.", "Tre.")
    desk.ask("One?")
    PinService(desk.record).add(None, "PIN")
    desk.ask(go_on("Two?"))
    turns_of(desk).delete(None)
    desk.ask(go_on("Three?"))
    assert prompt_text(desk, desk.model.generations[-1]).count("PIN") == 1
    turns_of(desk).undo(None)
    desk.ask(AGAIN)
    assert prompt_text(desk, desk.model.generations[-1]).count("PIN") == 1
    desk.ask(go_on("Four?"))
    assert prompt_text(desk, desk.model.generations[-1]).count("PIN") == 1
    PinService(desk.record).remove(None, PinService(desk.record).listing(None)[0].id)
    desk.ask(AGAIN)
    assert "PIN" not in prompt_text(desk, desk.model.generations[-1])


def test_a_fork_ends_with_the_turn_that_is_named(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Uno.", "Due.", "Tre.")
    for question in ("One?", "Two?", "Three?"):
        desk.ask(go_on(question))
    list(desk.service.tidy(Cancel()))
    disk: Snapshots = desk.model.disk
    service = ConversationService(desk.record, disk, "")
    source = desk.path()
    fork = service.fork(None, at=source[2].id)
    assert [m.id for m in desk.record.path(fork.id)] == [m.id for m in source[:4]]
    assert disk.sizes()[fork.id] > 0
    with pytest.raises(UsageError, match="is no message"):
        service.fork(fork.id, at=source[5].id)


def test_a_summary_beyond_the_fork_and_the_edit_is_out_of_force(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel())
    for number in range(4):
        desk.ask(go_on(f"Question {number}?", sampling=Sampling(max_tokens=16)))
    conversation = desk.record.latest()
    assert conversation
    list(desk.service.compact(conversation, 16, Cancel()))
    path = desk.path()
    fork = ConversationService(desk.record, ScriptedDisk(), "").fork(conversation.id, at=path[2].id)
    assert desk.record.blocks(fork.id) == ()
    turns_of(desk).delete(conversation.id, path[4].id)
    assert desk.record.blocks(conversation.id) == ()
    turns_of(desk).undo(conversation.id)
    assert len(desk.record.blocks(conversation.id)) == 1
    again = AskRequest("", session=conversation.id, reply=Reply.AGAIN, sampling=Sampling(max_tokens=16))
    receipt = desk.ask(again)
    assert receipt.prompt
    assert (receipt.prompt.summarized_turns, receipt.prompt.verbatim_turns) == (3, 0)


def test_a_question_that_was_folded_already_is_answered_again_with_what_was_said_before_it(
    tmp_path: Path,
) -> None:
    desk = desk_of(tmp_path, "Uno.", "Due.")
    desk.ask("One?")
    desk.ask(go_on("Two?"))
    conversation = desk.record.latest()
    assert conversation
    list(desk.service.compact(conversation, 16, Cancel(), through=desk.path()[-1].id))
    assert desk.blocks()[0].turns == 2
    desk.model.answers[:] = ["Deux."]
    receipt = desk.ask(AGAIN)
    assert receipt.prompt
    assert (receipt.prompt.summarized_turns, receipt.prompt.verbatim_turns) == (0, 1)
    assert said(desk) == ["One?", "Uno.", "Two?", "Deux."]
    assert desk.blocks() == ()
    turns_of(desk).undo(None)
    assert desk.blocks()[0].turns == 2


def test_a_model_is_changed_and_the_conversation_goes_on(tmp_path: Path) -> None:
    from ctxchat.service.model_in_use import OpenedModel

    desk = desk_of(tmp_path, "Uno.")
    desk.ask("One?")
    other = ScriptedModel(["Due."], window=512)
    other.vocabulary.fingerprint = "others"  # type: ignore[misc]
    desk.service.use_model(lambda: OpenedModel(other, "another one"))
    assert desk.model.closed
    assert desk.service.model is None
    loaded = list(desk.service.load(Cancel()))
    assert loaded[-1].done == loaded[-1].total  # type: ignore[union-attr]
    receipt = desk.ask(go_on("Two?"))
    assert receipt.prompt
    assert receipt.prompt.window == 512
    assert said(desk) == ["One?", "Uno.", "Two?", "Due."]
    assert "Uno." in other.vocabulary.text(other.generations[-1].ids)
    assert not any(isinstance(event, Prefilled) for event in desk.service.load(Cancel()))
