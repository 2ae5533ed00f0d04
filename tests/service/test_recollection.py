"""What a turn recalls, over a scripted model, a real store and the embedder that ships."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Section
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import Compacted, NotesFound, Prefilled, TurnFinished
from ctxchat.domain.passage import Chunk, Document
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.service.request import AskRequest
from ctxchat.store import note_rows
from ctxchat.store.database import Database
from ctxchat.store.late_recall import LateRecall
from ctxchat.store.recall import SqliteRecall
from ctxchat.store.static_embedding import StaticEmbedder
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

HERON = "A grey heron has built its nest behind the old mill."
ASKED = "Where did the heron build its nest?"
SHIPPED = StaticEmbedder()


def desk_of(folder: Path, *answers: str | EngineError, window: int = 4096) -> Desk:
    return Desk(
        folder,
        ScriptedModel(list(answers), window=window),
        recall=lambda database: LateRecall(database, lambda: SqliteRecall(database, lambda: SHIPPED)),
    )


class _OpenedOnceReading(SqliteRecall):
    """Is opened once the model has begun to read."""

    def __init__(self, database: Database, begun: Event) -> None:
        super().__init__(database, lambda: SHIPPED)
        self._begun = begun

    def warm(self, collections: Sequence[str] | None = None) -> None:
        assert self._begun.wait(10)


def asking(question: str, **changes: object) -> AskRequest:
    changes = {"resume": True, "sampling": Sampling(max_tokens=64)} | changes
    return AskRequest(question, **changes)  # type: ignore[arg-type]


def folded(desk: Desk) -> None:
    """Fold all turns but the last."""
    latest = desk.record.latest()
    assert latest
    assert [e for e in desk.service.compact(latest, 64, Cancel()) if isinstance(e, Compacted)]


def told(desk: Desk) -> None:
    """Have something said that is not sent word for word any more."""
    desk.ask(asking(HERON))
    desk.ask(asking("The weather was awful."))
    folded(desk)


def add_note(desk: Desk, text: str, source: str = "birds.md") -> None:
    with desk.database.writing() as connection:
        note_rows.begin_space(connection, "birds", SHIPPED.space)
        document = Document(source, source, (Chunk(1, 1, text),))
        note_rows.write_document(connection, "birds", document, SHIPPED.embed([text]), SHIPPED.space)


def noted(receipt: Receipt) -> list[str]:
    """Recalled texts in the prompt."""
    prompt = receipt.prompt
    assert prompt
    return [piece.text for piece in prompt.pieces if piece.section is Section.NOTES]


def last_message(prompt: Prompt) -> list[Section]:
    """The sections of what a question is sent with, in order."""
    turn = prompt.summarized_turns + prompt.verbatim_turns + 1
    return [p.section for p in prompt.pieces if p.turn == turn and p.section is not Section.TEMPLATE]


def test_what_left_the_window_is_recalled_and_recorded_with_the_question(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    told(desk)
    found = desk.ask(asking(ASKED))
    assert HERON in noted(found)
    assert found.notes[0].label == "n1"
    assert found.prompt
    assert found.prompt.total <= found.prompt.usable
    question = desk.path()[-2]
    assert [s.text for s in question.segments if s.section is Section.NOTES] == noted(found)
    assert {s.passage for s in question.segments if s.section is Section.NOTES} == {n.id for n in found.notes}


def test_the_next_turn_finds_what_was_recalled_in_the_cache_and_recalls_it_no_more(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    told(desk)
    first = desk.ask(asking(ASKED))
    second = desk.ask(asking("And the heron's mill, where is its nest?"))
    assert first.prompt
    assert second.kv
    assert second.kv.reused >= first.prompt.total
    assert noted(second).count(HERON) == 1


def test_labels_go_on_where_they_ended(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    told(desk)
    first = desk.ask(asking(ASKED))
    add_note(desk, "The heron eats frogs at dusk.")
    second = desk.ask(asking("What does the heron eat at dusk, frogs?"))
    assert "The heron eats frogs at dusk." in noted(second)
    assert [n.label for n in second.notes] == [f"n{len(first.notes) + 1}"]


def test_labels_go_on_past_those_that_were_given_back(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    told(desk)
    first = desk.ask(asking(ASKED))
    latest = desk.record.latest()
    assert latest
    desk.record.reclaim(latest.id, desk.path()[-2].id)
    second = desk.ask(asking(ASKED))
    assert HERON in noted(second)
    assert second.notes[0].label == f"n{len(first.notes) + 1}"
    assert second.prompt
    assert {dropped.section for dropped in second.prompt.dropped} == {Section.NOTES}


def test_an_answer_that_cites_is_told_so_also_a_turn_later(tmp_path: Path) -> None:
    answers = ("Behind the old mill [n1].", "The mill [n1], not [n9].")
    desk = desk_of(tmp_path, "Aha.", "I see.", "Sum.", *answers)
    told(desk)
    found = desk.ask(asking(ASKED))
    assert [(n.label, n.overlaps) for n in found.notes if n.cited] == [("n1", True)]
    later = desk.ask(asking("And again, the heron's nest, where?"))
    cited = {n.label: n for n in later.notes if n.cited}
    assert cited.keys() == {"n1", "n9"}
    assert cited["n1"].id
    assert cited["n1"].tokens == found.notes[0].tokens > 0
    assert cited["n9"].id is None


def test_pins_data_notes_and_words_stand_in_this_order(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    told(desk)
    attached = Attachment("mill.txt", "The mill stands by the river.\n")
    table = Attachment("birds.csv", "bird,seen\nheron,3\n")
    receipt = desk.ask(asking(ASKED, attachments=(attached,), data=(table,), pins=("Be brief.",)))
    assert receipt.prompt
    order = list(dict.fromkeys(last_message(receipt.prompt)))
    assert order == [Section.PINS, Section.DATA, Section.NOTES, Section.QUESTION]
    again = desk.ask(asking("Thanks!"))
    assert again.kv
    assert again.kv.reused >= receipt.prompt.total


@pytest.mark.parametrize(
    "changes", [{"memory": False}, {"question": "Thank you!"}, {"question": "What is the capital of Peru?"}]
)
def test_nothing_is_recalled_unasked(changes: dict[str, object], tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    told(desk)
    assert desk.ask(asking(str(changes.pop("question", ASKED)), **changes)).notes == ()


def test_what_is_in_the_window_is_not_recalled(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask(asking(HERON))
    assert desk.ask(asking(ASKED)).notes == ()


def test_a_question_that_failed_is_no_answer_to_itself(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "Aha.", "I see.", "Sum.", EngineError("it broke"))
    told(desk)
    failed = desk.ask(asking(ASKED))
    assert failed.error
    again = desk.ask(asking(ASKED))
    assert HERON in noted(again)
    assert ASKED not in noted(again)


@pytest.mark.parametrize("changes", [{"record": False}, {"dry_run": True}])
def test_a_turn_that_writes_nothing_recalls_the_same(changes: dict[str, object], tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    told(desk)
    before = desk.path()
    receipt = desk.ask(asking(ASKED, **changes))
    assert HERON in noted(receipt)
    assert desk.path() == before


def test_notes_are_recalled_without_any_conversation(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    add_note(desk, HERON)
    for collections, found in ((None, [HERON]), (("birds",), [HERON])):
        receipt = desk.ask(asking(ASKED, record=False, resume=False, collections=collections))
        assert noted(receipt) == found


def test_a_fork_recalls_what_was_said_before_it(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    told(desk)
    receipt = desk.ask(asking(ASKED, fork=True))
    assert HERON in noted(receipt)
    assert len(desk.record.listing()) == 2


def test_while_the_notes_are_opened_the_model_reads_what_stands_before_the_question(tmp_path: Path) -> None:
    begun = Event()
    desk = Desk(
        tmp_path,
        ScriptedModel(window=4096, on_event=lambda _: begun.set()),
        recall=lambda database: _OpenedOnceReading(database, begun),
    )
    told(desk)
    begun.clear()
    events = list(desk.events(asking(ASKED)))
    assert isinstance(events[-1], TurnFinished)
    receipt = events[-1].receipt
    ahead, whole = desk.model.generations[-2:]
    assert ahead.limit == 0
    assert whole.ids[: len(ahead.ids)] == ahead.ids
    assert HERON in noted(receipt)
    assert receipt.kv
    assert receipt.prompt
    assert receipt.kv.reused < len(ahead.ids)
    assert receipt.kv.reused + receipt.kv.evaluated == receipt.prompt.total
    read = [event for event in events if isinstance(event, Prefilled)]
    assert (read[0].done, read[-1].done) == (0, receipt.kv.evaluated)
    assert {event.total for event in read} == {receipt.kv.evaluated}


@pytest.mark.parametrize("error", [ImportError("numpy is broken"), RuntimeError("no memory")])
def test_whatever_goes_wrong_in_opening_is_raised_where_it_is_needed_and_printed_by_no_thread(
    error: Exception, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> StaticEmbedder:
        raise error

    model = ScriptedModel(window=4096)
    desk = Desk(tmp_path, model, recall=lambda database: SqliteRecall(database, broken))
    told(desk)
    with pytest.raises(type(error)):
        desk.ask(asking(ASKED))
    assert capsys.readouterr().err == ""


def test_however_full_the_window_is_what_is_recalled_fits(tmp_path: Path) -> None:
    for fill in range(3300, 3400, 7):
        desk = desk_of(tmp_path / str(fill))
        add_note(desk, HERON)
        add_note(desk, "The heron's nest is two metres wide, and it is built of reed.", "size.md")
        attached = Attachment("log", "x" * fill)
        events = list(desk.events(asking(ASKED, attachments=(attached,))))
        prompt = desk.model.generations[-1]
        assert len(prompt.ids) <= 4096 - 64
        assert len([e for e in events if isinstance(e, NotesFound)]) <= 1
