"""Each receipt says where reuse ended and why, over a scripted model and a real store."""

from pathlib import Path

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Compacted, EngineEvent, Prefilled
from ctxchat.domain.passage import Chunk, Document
from ctxchat.domain.sampling import Sampling
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.request import AskRequest
from ctxchat.store import note_rows
from ctxchat.store.recall import SqliteRecall
from ctxchat.store.static_embedding import StaticEmbedder
from tests.support.characters import BracketTemplate
from tests.support.desk import Desk
from tests.support.scripted import ScriptedDisk, ScriptedModel

THOUGHT = "<think>a long thought</think>"
ANSWER = "An answer that is long enough to be missed."
SHORT = Sampling(max_tokens=64)


def again(question: str, **changes: object) -> AskRequest:
    return AskRequest(question, resume=True, **changes)  # type: ignore[arg-type]


def miss(desk: Desk, request: AskRequest | str) -> str | None:
    receipt = desk.ask(request)
    assert receipt.error is None
    assert receipt.kv
    return receipt.kv.miss


def desk_of(folder: Path, disk: ScriptedDisk | None = None, **model: object) -> Desk:
    return Desk(folder, ScriptedModel([ANSWER] * 9, disk=disk, **model))  # type: ignore[arg-type]


def kept(desk: Desk) -> None:
    list(desk.service.tidy(Cancel()))


def test_a_first_turn_says_so(tmp_path: Path) -> None:
    assert miss(desk_of(tmp_path), "One?") == "first turn: nothing of it was read before"


def test_a_first_turn_begins_as_another_prompt_did(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask("One?")
    told = miss(desk, "Two?")
    assert told == "first turn: reused 7 of 13 tokens; the rest is new"


def test_a_turn_that_reuses_all_that_was_said_says_nothing(tmp_path: Path) -> None:
    disk = ScriptedDisk()
    desk = desk_of(tmp_path, disk)
    desk.ask("One?")
    assert miss(desk, again("Two?")) is None
    kept(desk)
    assert miss(desk_of(tmp_path, disk), again("Three?", dry_run=True)) is None
    assert miss(desk_of(tmp_path, disk), again("Three?")) is None


def test_what_was_not_kept_is_read_again(tmp_path: Path) -> None:
    desk_of(tmp_path).ask("One?")
    told = miss(desk_of(tmp_path), again("Two?"))
    assert told
    assert told.endswith("tokens: no more of this conversation was kept, in memory or on disk")


def test_reasoning_that_the_template_strips(tmp_path: Path) -> None:
    template = BracketTemplate(strips_reasoning=True, reasons=True)
    desk = Desk(tmp_path, ScriptedModel([THOUGHT + ANSWER, ANSWER], template=template))
    before = desk.ask("One?").prompt
    assert before
    told = miss(desk, again("Two?"))
    assert told
    assert told.startswith(f"reused {before.total} of ")
    assert told.endswith("tokens: the chat template strips the reasoning of earlier turns")


def test_reasoning_that_was_settled_is_no_miss(tmp_path: Path) -> None:
    template = BracketTemplate(strips_reasoning=True, reasons=True)
    desk = Desk(tmp_path, ScriptedModel([THOUGHT + ANSWER, ANSWER], template=template), stays=True)
    desk.ask("One?")
    kept(desk)
    assert miss(desk, again("Two?")) is None


@pytest.mark.parametrize("reopened", [False, True])
def test_a_compaction(tmp_path: Path, reopened: bool) -> None:
    disk = ScriptedDisk()
    desk = Desk(tmp_path, ScriptedModel(window=1024, disk=disk))
    for number in range(40):
        told = miss(desk, again(f"Question {number}, is it?", sampling=SHORT))
        assert number == 0 or told is None
        if any(isinstance(event, Compacted) for event in desk.service.tidy(Cancel())):
            break
    if reopened:
        desk = Desk(tmp_path, ScriptedModel(window=1024, disk=disk))
    told = miss(desk, again("And?", sampling=SHORT))
    assert told
    assert told.endswith("tokens: the oldest turns were folded into a summary")


def test_notes_and_data_that_were_given_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel(window=1024), policy=WindowPolicy(compact_at=0.6))
    desk.ask(AskRequest("First?", sampling=SHORT))
    attached = Attachment("manual.md", "Turn the key. " * 30)
    for question in ("What?", "So?", "Then?", "Now?"):
        desk.ask(again(question, attachments=(attached,) if question == "What?" else (), sampling=SHORT))
        kept(desk)
        latest = desk.record.latest()
        if latest and latest.reclaimed:
            break
    told = miss(desk, again("And?", sampling=SHORT))
    assert told
    assert told.endswith("tokens: notes and attached text of an earlier turn were given back to make room")


def test_the_cells_of_another_conversation(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask(AskRequest("One?", session="first"))
    for other in ("second", "third"):  # The branch left last is still in cells.
        desk.ask(AskRequest(f"Two in the {other}, and longer than what stood there before?", session=other))
    told = miss(desk, AskRequest("Three?", session="first"))
    assert told
    assert told.endswith(": the cells held another conversation, and no more of this one is on disk")


def test_a_question_that_was_asked_and_not_recorded_is_another_branch(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask("One?")
    desk.ask(again("A secret?", record=False))
    told = miss(desk, again("Two?"))
    assert told
    assert told.endswith("tokens: an edit, or another branch, goes on from there")


def test_a_question_that_had_no_answer(tmp_path: Path) -> None:
    cancel = Cancel()

    def stop(event: EngineEvent) -> None:
        if len(desk.model.generations) == 2 and isinstance(event, Prefilled) and event.done == event.total:
            cancel.request()

    desk = desk_of(tmp_path, on_event=stop)
    desk.ask("One?")
    desk.ask(again("Never mind?"), cancel)
    told = miss(desk, again("Two?"))
    assert told
    assert told.endswith("tokens: the question before had no answer, and is left out")


@pytest.mark.parametrize(
    "apart", ["another model", "another type of keys", "another build of llama.cpp and another chat template"]
)
def test_another_model_or_setting_is_named(tmp_path: Path, apart: str) -> None:
    desk_of(tmp_path).ask("One?")
    desk = desk_of(tmp_path, disk := ScriptedDisk())
    latest = desk.record.latest()
    assert latest
    disk.apart[latest.id] = apart
    told = miss(desk, again("Two?"))
    assert told
    assert told.endswith(f"tokens: the model or a setting changed: what was kept belongs to {apart}")


def test_a_cache_that_cannot_be_cut_back_is_said_beside_the_reason(tmp_path: Path) -> None:
    template = BracketTemplate(strips_reasoning=True, reasons=True)
    model = ScriptedModel([THOUGHT + ANSWER, ANSWER], template=template, trims=False)
    desk = Desk(tmp_path, model)
    desk.ask("One?")
    told = miss(desk, again("Two?"))
    assert told
    assert told.startswith("reused 0 of ")
    assert told.endswith(
        "of earlier turns, and the cache of this model cannot be cut back to where they differ"
    )


def test_a_pin_that_was_taken_away(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask(AskRequest("One?", pins=("Answer briefly.",)))
    latest = desk.record.latest()
    assert latest
    desk.record.unpin(latest.id, latest.pins[0].id)
    told = miss(desk, again("Two?"))
    assert told
    assert told.endswith("tokens: the pins changed")


def test_the_date_that_a_template_writes(tmp_path: Path) -> None:
    class Dated(BracketTemplate):
        day = 0

        def scaffold(self, roles, *, at, think, answer=True):  # type: ignore[no-untyped-def]
            scaffold = super().scaffold(roles, at=at, think=think, answer=answer)
            Dated.day += 1
            first, *others = scaffold.literals
            return type(scaffold)((f"Today is day {Dated.day // 100}. {first}", *others))

    template = Dated()
    template.behaviour = type(template.behaviour)(
        **{name: getattr(template.behaviour, name) for name in template.behaviour.__slots__} | {"dated": True}
    )
    desk = Desk(tmp_path, ScriptedModel([ANSWER] * 3, template=template))
    desk.ask("One?")
    Dated.day = 500
    told = miss(desk, "Two?")
    assert told
    assert told.startswith("first turn: reused ")
    assert told.endswith("; the chat template writes a date there, which is another")


def test_the_text_attached_to_a_question(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask("One?")
    asked = [
        again("What turns?", record=False, attachments=(Attachment("a.md", text * 9),))
        for text in ("left ", "right ")
    ]
    desk.ask(asked[0])
    told = miss(desk, asked[1])
    assert told
    assert told.endswith("tokens: the text attached to this question changed")


def test_the_notes_that_are_recalled_for_a_question(tmp_path: Path) -> None:
    embedder = StaticEmbedder()
    model = ScriptedModel([ANSWER] * 3, window=4096)
    desk = Desk(tmp_path, model, recall=lambda database: SqliteRecall(database, lambda: embedder))
    desk.ask("One?")
    for number, text in enumerate(("A grey heron nests behind the mill.", "A young heron left its nest.")):
        with desk.database.writing() as connection:
            note_rows.begin_space(connection, "birds", embedder.space)
            document = Document(f"{number}.md", f"{number}.md", (Chunk(1, 1, text),))
            note_rows.write_document(connection, "birds", document, embedder.embed([text]), embedder.space)
        receipt = desk.ask(again("Where did the heron build its nest?", record=False))
        assert receipt.notes
    assert receipt.kv
    assert receipt.kv.miss
    assert receipt.kv.miss.endswith("tokens: the notes recalled for this question changed")
