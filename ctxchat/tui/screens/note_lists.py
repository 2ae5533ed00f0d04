"""What the notes screen lists: notes, collections, and what is remembered. Read in threads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from ctxchat.display import amounts
from ctxchat.display.dates import minutes
from ctxchat.domain.passage import Passage
from ctxchat.service.memory import MemoryService
from ctxchat.service.notes import FoundNote, NoteService
from ctxchat.tui.screens.list_screen import holds_words
from ctxchat.tui.screens.rows import Column, Row

MOST = 200
"""Rows that are shown at once: more than anybody looks through, few enough to be counted in tokens."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows, the whole text behind each key, and a line about all of them."""

    rows: tuple[Row, ...]
    texts: Mapping[str, str]
    line: str


class NoteList(Protocol):
    """One of the lists."""

    title: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    asks: ClassVar[str]
    """What is asked before a row is removed, of its key and its text."""

    def read(self, typed: str) -> Listed:
        """What is shown for what is typed."""

    def remove(self, key: str) -> str:
        """Remove what a row stands for, and say what was done."""


@dataclass
class NotesFound:
    """Notes of one collection, or of all: those a question finds, best first; without one as they stand."""

    notes: Callable[[], NoteService]
    collection: str | None = None
    _repaired: bool = field(default=False, init=False)
    title: ClassVar[str] = "Notes"
    asks: ClassVar[str] = 'Remove this note? "{text}"'
    columns: ClassVar[tuple[Column, ...]] = (
        Column("source", needed=True, path=True),
        Column("score", 6, right=True, needed=True),
        Column("tokens", 7, right=True, needed=True),
        Column("collection", 14),
    )

    def read(self, typed: str) -> Listed:
        return self._found(typed) if typed.strip() else self._all()

    def remove(self, key: str) -> str:
        self.notes().remove([key], self.collection)
        return "1 note removed"

    def _found(self, typed: str) -> Listed:
        service = self.notes()
        mended = [] if self._repaired else service.repair()
        self._repaired = True
        found = service.search(typed, [self.collection] if self.collection else [], most=MOST)
        line = " · ".join([*mended, f"{len(found):,} found{self._within}" if found else "nothing found"])
        return Listed(
            tuple(map(_found_row, found)), {f.hit.passage.id: f.hit.passage.text for f in found}, line
        )

    def _all(self) -> Listed:
        service = self.notes()
        notes = service.listing(self.collection)
        shown = notes[:MOST]
        rows = tuple(_note_row(note, service.tokens(note)) for note in shown)
        line = f"{len(notes):,} notes{self._within}"
        if len(notes) > len(shown):
            line = f"the first {len(shown):,} of {line}: type to search all of them"
        if not notes:
            line = "there are no notes yet: Ctrl-O adds files and folders, Ctrl-T a text"
        return Listed(rows, {note.id: note.text for note in shown}, line)

    @property
    def _within(self) -> str:
        return f' in "{self.collection}"' if self.collection else ""


@dataclass
class Collections:
    """Collections by name."""

    notes: Callable[[], NoteService]
    title: ClassVar[str] = "Collections"
    asks: ClassVar[str] = 'Remove the collection "{key}" with all its notes? The files they are of stay.'
    columns: ClassVar[tuple[Column, ...]] = (
        Column("collection", needed=True),
        Column("notes", 9, right=True, needed=True),
        Column("embedder", 24),
    )

    def read(self, typed: str) -> Listed:
        known = self.notes().collections()
        kept = [one for one in known if holds_words(one.name, typed)]
        rows = tuple(Row(one.name, (one.name, f"{one.notes:,}", one.space)) for one in kept)
        line = f"{len(kept):,} of {len(known):,}" if known else "there are no notes yet"
        return Listed(rows, {one.name: f"its index: {one.where}" for one in kept}, line)

    def remove(self, key: str) -> str:
        return f'{self.notes().remove([], key):,} notes of "{key}" removed'


@dataclass
class Remembered:
    """What is remembered across conversations, oldest first."""

    memory: Callable[[], MemoryService]
    title: ClassVar[str] = "Remembered"
    asks: ClassVar[str] = 'Forget this, wherever it is kept? "{text}"'
    columns: ClassVar[tuple[Column, ...]] = (Column("text", needed=True), Column("since", 16))

    def read(self, typed: str) -> Listed:
        known = self.memory().listing()
        kept = [note for note in known if holds_words(note.text, typed)]
        rows = tuple(Row(note.id, (note.text, minutes(note.at))) for note in kept)
        line = (
            f"{len(kept):,} of {len(known):,}" if known else "nothing is remembered yet: Ctrl-T adds a text"
        )
        return Listed(rows, {note.id: note.text for note in kept}, line)

    def remove(self, key: str) -> str:
        self.memory().forget(key)
        return "forgotten"


def _found_row(found: FoundNote) -> Row:
    passage = found.hit.passage
    cells = (passage.source, f"{found.hit.score:.2f}", amounts.count(found.tokens), passage.collection or "")
    return Row(passage.id, cells)


def _note_row(note: Passage, tokens: int | None) -> Row:
    return Row(note.id, (note.source, amounts.DASH, amounts.count(tokens), note.collection or ""))
