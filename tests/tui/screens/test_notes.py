"""Notes on a screen, over a real store and a real Chroma."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest

from ctxchat.domain.events import Warned
from ctxchat.domain.passage import Changes
from ctxchat.service.adding import Progress
from ctxchat.service.counting import TokenCounter
from ctxchat.service.memory import MemoryService
from ctxchat.service.notes import NoteService
from ctxchat.store.database import Database
from ctxchat.store.note_store import SqliteNotes
from ctxchat.store.notes import index_at
from ctxchat.store.recall import SqliteRecall
from ctxchat.tui.screens.notes import NotesClosed, NotesScreen
from ctxchat.tui.screens.text import TextScreen
from tests.support.bare_screen import Hand, shown
from tests.support.scripted import ScriptedModel
from tests.support.word_embedder import WordEmbedder

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, one of them with markup and control characters."""
    folder = tmp_path / "my files"
    folder.mkdir()
    (folder / "money.md").write_text("The invoice is due in March.")
    (folder / "snakes.md").write_text("Snakes like warm [bold]stones[/] \x1b[31mat noon.")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteNotes]:
    database = Database(tmp_path / "data" / "store.sqlite3")
    yield SqliteNotes(database, WordEmbedder, wait=0.1)
    database.close()
    for index in (tmp_path / "data" / "chroma").glob("*"):
        index_at(index).close()


@pytest.fixture
def notes(store: SqliteNotes, tmp_path: Path) -> NoteService:
    recall = SqliteRecall(Database(tmp_path / "data" / "store.sqlite3"), WordEmbedder, lambda: store)
    return NoteService(store, recall, TokenCounter(ScriptedModel))


@pytest.fixture
def memory(store: SqliteNotes) -> MemoryService:
    return MemoryService(store)


@pytest.fixture
def screen(notes: NoteService, memory: MemoryService, folder: Path) -> NotesScreen:
    list(notes.add([str(folder)], "work"))
    memory.add("I prefer metric units.")
    return NotesScreen(lambda: notes, lambda: memory)


def sources(hand: Hand) -> list[str]:
    return [name.rsplit("/", 1)[-1].rsplit(":", 1)[0] for name in hand.names]


async def listed(hand: Hand, count: int) -> None:
    await hand.until(lambda: len(hand.table) == count and not hand.said.startswith(("looking", "…")))


async def test_all_notes_are_listed_and_a_question_ranks_them(screen: NotesScreen) -> None:
    async with shown(screen, (120, 40)) as hand:
        await listed(hand, 3)
        assert hand.said == "3 notes"
        await hand.type("when is the invoice due")
        await hand.until(lambda: hand.said == "3 found")
        assert "money.md" in hand.names[0]
        _, score, tokens, collection = hand.table[0]
        assert float(score) > 0
        assert int(tokens) == len("The invoice is due in March.")
        assert collection == "work"
        assert "The invoice is due in March." in hand.text("#detail")


async def test_a_note_is_shown_in_full_without_what_could_drive_a_terminal(screen: NotesScreen) -> None:
    async with shown(screen) as hand:
        await listed(hand, 3)
        await hand.type("snakes")
        await hand.until(lambda: hand.said == "3 found")
        await hand.press("enter")
        assert isinstance(hand.app.screen, TextScreen)
        assert hand.text("#text") == "Snakes like warm [bold]stones[/] [31mat noon."
        await hand.press("escape", "escape")
        assert hand.closed == [NotesClosed(changed=False)]


async def test_of_a_collection_its_notes_are_listed_and_escape_goes_a_step_back(screen: NotesScreen) -> None:
    async with shown(screen) as hand:
        await listed(hand, 3)
        await hand.press("tab")
        await hand.until(lambda: hand.names == ["memory", "work"])
        await hand.press("down", "enter")
        await hand.until(lambda: hand.said == '2 notes in "work"')
        await hand.press("escape")
        await hand.until(lambda: hand.said == "3 notes")
        await hand.press("escape")
        assert hand.closed == [NotesClosed(changed=False)]


async def test_files_are_added_with_a_line_of_what_was_done(screen: NotesScreen, folder: Path) -> None:
    more = folder.parent / "more"
    more.mkdir()
    (more / "birds.md").write_text("Storks fly south.")
    async with shown(screen) as hand:
        await listed(hand, 3)
        await hand.press("ctrl+o")
        await hand.type(f"'{more}'")
        await hand.press("enter", "enter")
        await hand.until(lambda: hand.said.startswith('1 added: 1 new notes in "notes" · 4 notes'))
        await hand.press("escape")
        assert hand.closed == [NotesClosed(changed=True)]


async def test_a_path_that_is_not_there_is_told_before_anything_is_done(screen: NotesScreen) -> None:
    async with shown(screen) as hand:
        await listed(hand, 3)
        await hand.press("ctrl+o", *"/no", "enter")
        assert hand.said == "there is no /no"
        await hand.press("ctrl+u", "'", "enter")
        assert hand.said == "a quotation mark is not closed"
        await hand.press("escape", "escape")
        assert hand.closed == [NotesClosed(changed=False)]


async def test_what_cannot_be_added_is_a_line(screen: NotesScreen, tmp_path: Path) -> None:
    (tmp_path / "nothing").touch()
    async with shown(screen) as hand:
        await listed(hand, 3)
        await hand.press("ctrl+o")
        await hand.type(str(tmp_path / "nothing"))
        await hand.press("enter", "enter")
        await hand.until(lambda: "nothing was added" in hand.said)
        assert hand.app.screen.query_one("#said").has_class("-wrong")


class Gated(NoteService):
    """Adds a batch, tells it, waits at the gate, and tells it again before the next."""

    gate = Event()

    def add(self, paths: Sequence[str], collection: str) -> Iterator[Progress | Warned | Changes]:
        for step in super().add(paths, collection):
            yield step
            if isinstance(step, Progress) and step.done:
                self.gate.wait(60)
                yield step


async def test_closing_the_screen_ends_an_addition_after_its_batch(
    store: SqliteNotes, memory: MemoryService, folder: Path, tmp_path: Path
) -> None:
    for number in range(310):
        (folder / f"{number}.md").write_text(f"Number {number}.")
    recall = SqliteRecall(Database(tmp_path / "data" / "store.sqlite3"), WordEmbedder, lambda: store)
    notes = Gated(store, recall, TokenCounter(ScriptedModel))
    async with shown(NotesScreen(lambda: notes, lambda: memory)) as hand:
        await hand.until(lambda: hand.said.startswith("there are no notes yet"))
        await hand.press("ctrl+o")
        await hand.type(f"'{folder}'")
        await hand.press("enter", "enter")
        await hand.until(lambda: hand.said == "300 of 312 files")
        await hand.press("escape")
        assert hand.closed == [NotesClosed(changed=True)]
        notes.gate.set()
    assert len(notes.listing(None)) == 300


async def test_a_text_becomes_a_note_of_the_collection_that_is_shown(
    screen: NotesScreen, notes: NoteService
) -> None:
    async with shown(screen) as hand:
        await listed(hand, 3)
        await hand.press("tab")
        await hand.until(lambda: hand.names == ["memory", "work"])
        await hand.press("down", "enter")
        await listed(hand, 2)
        await hand.press("ctrl+t", *"Cats", "enter", "enter")
        await hand.until(lambda: hand.said.startswith('1 added: 1 new notes in "work"'))
    assert "Cats" in [note.text for note in notes.listing("work")]


async def test_a_note_is_removed_once_it_was_asked_for(screen: NotesScreen, notes: NoteService) -> None:
    async with shown(screen) as hand:
        await listed(hand, 3)
        await hand.press("ctrl+d", "enter")
        assert len(notes.listing(None)) == 3
        await hand.press("ctrl+d", "y")
        await hand.until(lambda: hand.said == "1 note removed · 2 notes")


async def test_a_collection_is_removed_whole(screen: NotesScreen, notes: NoteService) -> None:
    async with shown(screen) as hand:
        await listed(hand, 3)
        await hand.press("tab")
        await hand.until(lambda: hand.names == ["memory", "work"])
        await hand.press("down", "ctrl+d", "y")
        await hand.until(lambda: hand.said.startswith('2 notes of "work" removed'))
    assert [one.name for one in notes.collections()] == ["memory"]


async def test_texts_are_remembered_and_forgotten(screen: NotesScreen, memory: MemoryService) -> None:
    async with shown(screen) as hand:
        await listed(hand, 3)
        await hand.press("shift+tab")
        await hand.until(lambda: hand.names == ["I prefer metric units."])
        await hand.press("ctrl+t", *"Rome", "enter")
        await hand.until(lambda: hand.names == ["I prefer metric units.", "Rome"])
        await hand.type("metric")
        await hand.until(lambda: hand.names == ["I prefer metric units."])
        await hand.press("ctrl+d", "y")
        await hand.until(lambda: hand.said.startswith("forgotten"))
    assert [note.text for note in memory.listing()] == ["Rome"]


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_it_is_usable_on_a_small_screen(screen: NotesScreen, size: tuple[int, int]) -> None:
    async with shown(screen, size) as hand:
        await listed(hand, 3)
        assert hand.app.screen.query_one("#rows").size.height >= 6
        assert [row[2] for row in hand.table] == ["22", "28", "46"]
