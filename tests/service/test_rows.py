"""What the next turn would send, and what a person does with a row of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.context.omissions import DROPPED, GIVEN_BACK, RECLAIMED
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Section, sent
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import Compacted
from ctxchat.domain.passage import Scope
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.sampling import Sampling
from ctxchat.service.pins import PinService
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.request import AskRequest
from ctxchat.service.rows import Action, Row, RowService
from ctxchat.service.turns import TurnService
from ctxchat.store.recall import SqliteRecall
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel
from tests.support.word_embedder import WordEmbedder

SAMPLING = Sampling(max_tokens=64)


def asked(question: str, **changes: object) -> AskRequest:
    return AskRequest(question, resume=True, sampling=SAMPLING, **changes)  # type: ignore[arg-type]


def desk_of(folder: Path, *questions: str, window: int = 2048, **policy: object) -> Desk:
    desk = Desk(folder, ScriptedModel(window=window), policy=WindowPolicy(**policy))  # type: ignore[arg-type]
    desk.model.answers[:] = [f"About {question}" for question in questions]
    for question in questions:
        desk.ask(asked(question))
    return desk


def latest(desk: Desk) -> Conversation:
    found = desk.record.latest()
    assert found
    return found


def standing(desk: Desk) -> Prompt:
    return desk.service.standing(latest(desk), 64, Cancel())


def rows(desk: Desk) -> tuple[Row, ...]:
    return service(desk).listing(latest(desk), standing(desk))


def row(desk: Desk, text: str) -> Row:
    return next(row for row in rows(desk) if text in row.text)


def service(desk: Desk) -> RowService:
    return RowService(desk.record)


def nothing_is_lost(desk: Desk, prompt: Prompt) -> None:
    """Every message of the path is sent, covered by one block, or was dropped by the person."""
    path = sent(desk.path())
    blocks = desk.blocks()
    covered = [m.id for m in path].index(blocks[-1].last) + 1 if blocks else 0
    held = {piece.owner for piece in prompt.pieces}
    dropped = {d.id for d in prompt.dropped if d.reason == DROPPED}
    for place, message in enumerate(path[covered:]):
        before = path[covered + place - 1].id if covered + place else None
        assert (message.id in held) != (message.id in dropped or before in dropped)


def test_rows_are_the_pieces_of_the_prompt_in_order(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "One?", "Two?")
    prompt = standing(desk)
    listed = rows(desk)
    assert [row.text for row in listed] == [piece.text for piece in prompt.pieces]
    assert sum(row.tokens for row in listed) == prompt.total
    assert [row.turn for row in listed if row.message] == [1, 1, 2, 2]


def test_a_dropped_turn_is_not_sent_is_listed_and_can_be_put_back(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "One?", "Two?", "Three?")
    before = standing(desk)
    service(desk).drop(None, row(desk, "About Two?"))
    prompt = standing(desk)
    assert "Two?" not in "".join(piece.text for piece in prompt.pieces)
    (dropped,) = prompt.dropped
    assert (dropped.section, dropped.reason) == (Section.HISTORY, DROPPED)
    assert dropped.tokens == len("Two?About Two?")
    assert prompt.verbatim_turns == 2
    assert [r.turn for r in rows(desk) if "Three?" in r.text] == [3, 3]
    nothing_is_lost(desk, prompt)
    assert len(desk.path()) == 6
    (mine,) = (r for r in rows(desk) if r.dropped)
    assert mine.text == "Two?"
    service(desk).put_back(None, mine)
    assert standing(desk) == before


def test_the_prompt_up_to_a_dropped_turn_is_reused(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "One?", "Two?", "Three?")
    whole = standing(desk)
    service(desk).drop(None, row(desk, "Three?"))
    receipt = desk.ask(asked("Four?"))
    assert receipt.kv
    assert receipt.prompt
    assert receipt.kv.evaluated < whole.total / 2
    assert "Three?" not in desk.model.vocabulary.text(receipt.prompt.ids)
    nothing_is_lost(desk, standing(desk))


def test_a_dropped_turn_is_found_by_recall(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        ScriptedModel(["Barnaby is a dog.", "Fine.", "Good."], window=4096),
        recall=lambda database: SqliteRecall(database, WordEmbedder),
    )
    for question in ("Who is Barnaby?", "How is the weather?"):
        desk.ask(asked(question))
    assert desk.ask(asked("And Barnaby the dog?")).notes == ()
    service(desk).drop(None, row(desk, "Barnaby is a dog"))
    recall = SqliteRecall(desk.database, WordEmbedder)
    scope = Scope(conversation=latest(desk).id)
    assert any("Barnaby" in hit.passage.text for hit in recall.search("Barnaby", scope, 5))
    receipt = desk.ask(asked("Who is Barnaby the dog, again?"))
    assert receipt.prompt
    assert "Barnaby is a dog." in desk.model.vocabulary.text(receipt.prompt.ids)


def test_a_pin_that_rode_in_a_dropped_turn_rides_in_the_next(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "One?")
    PinService(desk.record).add(None, "PIN")
    desk.ask(asked("Two?"))
    service(desk).drop(None, row(desk, "Two?"))
    receipt = desk.ask(asked("Three?"))
    assert receipt.prompt
    assert desk.model.vocabulary.text(receipt.prompt.ids).count("PIN") == 1


def test_data_of_one_message_is_given_back_alone_and_put_back(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    for number in (1, 2):
        desk.ask(asked(f"Question {number}?", attachments=(Attachment(f"f{number}", f"data {number}\n"),)))
    before = standing(desk)
    service(desk).drop(None, row(desk, "data 2"))
    prompt = standing(desk)
    text = desk.model.vocabulary.text(prompt.ids)
    assert "data 1" in text
    assert "data 2" not in text
    assert "f2" not in text
    assert "Question 2?" in text
    (dropped,) = prompt.dropped
    assert (dropped.section, dropped.reason) == (Section.DATA, GIVEN_BACK)
    (mine,) = (r for r in rows(desk) if r.dropped)
    assert mine.text == "data 2\n"
    service(desk).put_back(None, mine)
    assert standing(desk) == before


def test_what_was_reclaimed_is_no_row_of_the_persons(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask(asked("Question?", attachments=(Attachment("f", "data\n"),)))
    desk.record.reclaim(latest(desk).id, desk.path()[0].id)
    (gone,) = (r for r in rows(desk) if r.reason)
    assert gone.reason == RECLAIMED
    assert not gone.dropped
    with pytest.raises(UsageError, match="not left out by you"):
        service(desk).put_back(None, gone)


def test_the_text_of_a_row_is_pinned(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "One?")
    assert service(desk).pin(None, row(desk, "About One?")).text == "About One?"
    assert [pin.text for pin in PinService(desk.record).listing(None)] == ["About One?"]


@pytest.mark.parametrize("section", [Section.SYSTEM, Section.TEMPLATE])
def test_what_is_no_turn_can_neither_be_dropped_nor_pinned(tmp_path: Path, section: Section) -> None:
    desk = desk_of(tmp_path, "One?")
    other = next(row for row in rows(desk) if row.section is section)
    with pytest.raises(UsageError, match=f"a row of {section}"):
        service(desk).drop(None, other)
    with pytest.raises(UsageError, match=f"a row of {section}"):
        service(desk).pin(None, other)


def test_a_row_that_left_the_path_is_said(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "One?", "Two?")
    stale = row(desk, "Two?")
    TurnService(desk.record).delete(None)
    with pytest.raises(UsageError, match="is no message"):
        service(desk).drop(None, stale)


def test_turns_are_folded_up_to_a_row_with_the_persons_words_in_the_request(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "One?", "Two?", "Three?", "Four?")
    through = row(desk, "Two?").message
    events = list(desk.service.compact(latest(desk), 64, Cancel(), through=through, focus=" Keep dogs."))
    (folded,) = (event for event in events if isinstance(event, Compacted))
    assert folded.turns == 2
    assert "Keep dogs." in desk.model.vocabulary.text(desk.model.generations[-1].ids)
    assert [(block.turns, block.last) for block in desk.blocks()] == [(2, desk.path()[3].id)]
    with pytest.raises(UsageError, match="nothing to fold"):
        list(desk.service.compact(latest(desk), 64, Cancel(), through=through))


def test_a_block_covers_dropped_turns_and_says_nothing_of_them(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Alpha 1111?", "Beta 2222?", "Gamma 3333?", "Delta 4444?", "Last?")
    for name in ("Alpha", "Gamma"):
        service(desk).drop(None, row(desk, name))
    list(desk.service.compact(latest(desk), 64, Cancel()))
    (block,) = desk.blocks()
    path = desk.path()
    assert (block.first, block.last, block.turns) == (path[0].id, path[7].id, 4)
    assert "2222" in block.text
    assert "1111" not in block.text
    assert "3333" not in block.text
    prompt = standing(desk)
    assert prompt.dropped == ()
    assert prompt.summarized_turns + prompt.verbatim_turns == 5
    nothing_is_lost(desk, prompt)


def test_a_conversation_with_turns_dropped_deleted_and_folded_goes_on_for_ever(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, window=1024)
    turns, folded = TurnService(desk.record), 0
    for number in range(40):
        receipt = desk.ask(asked(f"Question {number} of many, is it?"))
        assert receipt.error is None
        assert receipt.prompt
        assert receipt.prompt.total + receipt.prompt.reserve <= 1024
        if number % 3 == 1:
            held = [r for r in rows(desk) if Action.DROP in r.actions]
            service(desk).drop(None, held[len(held) // 2])
        if number % 7 == 5:
            turns.delete(None)
        if number % 14 == 12:
            turns.undo(None)
        prompt = standing(desk)
        nothing_is_lost(desk, prompt)
        mine = sum(d.reason == DROPPED for d in prompt.dropped)
        spoken = len(sent(desk.path())) // 2
        assert prompt.summarized_turns + prompt.verbatim_turns + mine == spoken
        folded += sum(isinstance(event, Compacted) for event in desk.service.tidy(Cancel()))
    assert folded >= 2


def test_reclaiming_reaches_turns_behind_dropped_ones(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "One?", "Two?", window=1024)
    for number in range(2):
        data = (Attachment("f", f"{number}" * 250),)
        desk.ask(replace(asked(f"Question {number}?", attachments=data)))
    service(desk).drop(None, row(desk, "One?"))
    service(desk).drop(None, row(desk, "Two?"))
    receipt = desk.ask(asked("x" * 500))
    assert receipt.error is None
    assert receipt.prompt
    assert latest(desk).reclaimed is not None
    assert receipt.prompt.summarized_turns == 0
