"""Notes: found with their scores, added, removed; collections; what is remembered."""

import shlex
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from ctxchat.display.changes import changed
from ctxchat.display.plain_text import clean, shortened
from ctxchat.domain.conversation import new_id
from ctxchat.domain.events import Warned
from ctxchat.domain.passage import Changes
from ctxchat.service.adding import Progress
from ctxchat.service.memory import MemoryService
from ctxchat.service.notes import NoteService
from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.list_screen import ListScreen
from ctxchat.tui.screens.note_lists import Collections, Listed, NoteList, NotesFound, Remembered
from ctxchat.tui.screens.panel import Told
from ctxchat.tui.screens.prompt import PromptScreen
from ctxchat.tui.screens.text import TextScreen

DEFAULT = "notes"
_PAUSE = 0.2
"""Seconds without a key before anything is looked for."""

_NAMED = 40
"""Characters by which a text is named."""

Steps = Iterator[Progress | Warned | Changes]


@dataclass(frozen=True, slots=True)
class NotesClosed:
    """Whether anything was, or may have been, added, removed, remembered or forgotten."""

    changed: bool


class NotesScreen(ListScreen[NotesClosed]):
    """Three lists; the services are made in the thread that needs one first."""

    HEADING = "Notes"
    TYPE_HERE = "type to find"
    COLUMNS = NotesFound.columns
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_list(1)", "Next list", priority=True),
        Binding("shift+tab", "next_list(-1)", show=False, priority=True),
        Binding("ctrl+o", "add_files", "Add files", priority=True),
        Binding("ctrl+t", "add_text", "Add text", priority=True),
        Binding("ctrl+d", "remove", "Remove", priority=True),
    ]

    def __init__(self, notes: Callable[[], NoteService], memory: Callable[[], MemoryService]) -> None:
        super().__init__()
        self._notes, self._memory = notes, memory
        self._found = NotesFound(notes)
        self._lists: tuple[NoteList, ...] = (self._found, Collections(notes), Remembered(memory))
        self._titles = Static(id="lists", markup=False)
        self._at = 0
        self._listed = Listed((), {}, "")
        self._changed = False
        self._told = ""

    def parts(self) -> Iterator[Widget]:
        yield self._titles
        yield from super().parts()

    def on_mount(self) -> None:
        self._turn_to(0)

    def result(self) -> NotesClosed:
        return NotesClosed(self._changed)

    def filtered(self) -> None:
        words, at = self.typed, self._at
        self._told = ""
        self.set_timer(_PAUSE, lambda: self._read() if (words, at) == (self.typed, self._at) else None)

    def detail(self, key: str) -> str:
        return self._listed.texts.get(key, "")

    def choose(self, key: str) -> None:
        """A note or a text in full; of a collection its notes."""
        if self._list.title == Collections.title:
            self._found.collection = key
            self._turn_to(0)
        else:
            self.app.push_screen(TextScreen(self._list.title, self._listed.texts[key]))

    def action_close(self) -> None:
        """One step back: from one collection to all notes, then out."""
        if self._at == 0 and self._found.collection is not None:
            self._found.collection = None
            self._turn_to(0)
        else:
            super().action_close()

    def action_next_list(self, by: int) -> None:
        self._turn_to((self._at + by) % len(self._lists))

    def action_add_files(self) -> None:
        def named(typed: str | None) -> None:
            if typed and typed.strip():
                paths = [str(Path(path).expanduser()) for path in shlex.split(typed)]
                self._ask_collection(lambda name: self._notes().add(paths, name))

        self.app.push_screen(
            PromptScreen(
                "Files and folders to make notes of", hint="quote a path with blanks", check=_unquoted
            ),
            named,
        )

    def action_add_text(self) -> None:
        remembers = self._list.title == Remembered.title

        def typed(text: str | None) -> None:
            if not text or not text.strip():
                return
            if remembers:
                self._change(lambda: f"remembered as {self._memory().add(text)}")
            else:
                source = f"typed-{new_id()}"
                self._ask_collection(lambda name: self._notes().add_text(text.encode(), source, name))

        title = "A text to remember in every conversation" if remembers else "A text to make a note of"
        self.app.push_screen(PromptScreen(title), typed)

    def action_remove(self) -> None:
        key, chosen = self.rows.current, self._list
        if key is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._change(lambda: chosen.remove(key))

        text = shortened(self._listed.texts.get(key, ""), _NAMED)
        question = chosen.asks.format(key=key, text=text)
        self.app.push_screen(ConfirmScreen(question, yes="Remove", no="Keep"), answered)

    @property
    def _list(self) -> NoteList:
        return self._lists[self._at]

    def _turn_to(self, at: int) -> None:
        """Show one of the lists, from its beginning."""
        self._at, self._listed, self._told = at, Listed((), {}, ""), ""
        line = Text()
        for place, one in enumerate(self._lists):
            title = one.title
            if place == 0 and self._found.collection:
                title = f"{title} in {clean(self._found.collection)}"
            line.append(f" {title} ", style="bold reverse" if place == at else "dim").append("  ")
        self._titles.update(line)
        self.rows.arrange_columns(self._list.columns)
        with self.line.prevent(Input.Changed):
            self.line.value = ""
        self._read()

    def _read(self) -> None:
        chosen, typed = self._list, self.typed
        self.say("looking …")
        self.in_thread(lambda: chosen.read(typed), lambda listed: self._take(chosen, listed))

    def _take(self, chosen: NoteList, listed: Listed) -> None:
        if chosen is self._list:
            self._listed = listed
            self.rows.show(listed.rows)
            self.say(" · ".join(filter(None, (self._told, listed.line))))
            self.show_detail()

    def _ask_collection(self, add: Callable[[str], Steps]) -> None:
        def named(name: str | None) -> None:
            if name and name.strip():
                self._change(lambda: self._followed(add(name.strip()), name.strip()))

        at = self._found.collection or DEFAULT
        self.app.push_screen(PromptScreen("Into which collection?", at), named)

    def _change(self, change: Callable[[], str]) -> None:
        """Change something in a thread; what was done is told above what is listed then."""
        self.say("…")
        self._changed = True

        def done(line: str) -> None:
            self._told = line
            self._read()

        self.in_thread(change, done, group="changing", exclusive=False)

    def _followed(self, steps: Steps, collection: str) -> str:
        """Run an addition to its end, or until the screen is closed: what was counted by then is kept."""
        worker, warnings, changes = get_current_worker(), list[str](), Changes()
        with closing(_closable(steps)) as events:
            for event in events:
                match event:
                    case Progress(done, total):
                        self.post_message(Told(f"{done:,} of {total:,} files"))
                    case Warned(message):
                        warnings.append(message)
                    case Changes():
                        changes = event
                if worker.is_cancelled:
                    break
        return " · ".join([changed(changes, collection), *warnings])


def _closable(steps: Steps) -> Generator[Progress | Warned | Changes, None, None]:
    yield from steps


def _unquoted(typed: str) -> str | None:
    """What is wrong with a line of paths."""
    try:
        paths: Sequence[str] = shlex.split(typed)
    except ValueError:
        return "a quotation mark is not closed"
    missing = [path for path in paths if not Path(path).expanduser().exists()]
    return f"there is no {missing[0]}" if missing else None
