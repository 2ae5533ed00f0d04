"""Summaries of what is no longer sent word for word: read, edited, taken back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from ctxchat.display import amounts
from ctxchat.display.plain_text import clean
from ctxchat.display.summaries import AUTHORS, passage, span, spans, undone
from ctxchat.domain.errors import EngineError, UsageError
from ctxchat.domain.ports import Vocabulary
from ctxchat.domain.summary import SummaryBlock
from ctxchat.service.summaries import Summaries, SummaryService, SummarySize
from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.edit import EditScreen
from ctxchat.tui.screens.panel import PanelScreen
from ctxchat.tui.screens.rows import Column, Row, Rows
from ctxchat.tui.screens.text import TextScreen

_COLUMNS = (
    Column("turns", 11, needed=True),
    Column("before", 8, right=True, needed=True),
    Column("after", 7, right=True, needed=True),
    Column("facts", 5, right=True),
    Column("written", needed=True),
)
_QUESTION = (
    "Take the last compaction back, or the last edit? What was folded by it is sent word for word again."
)


@dataclass(frozen=True, slots=True)
class SummaryClosed:
    """Whether a summary was edited, or a compaction taken back."""

    changed: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """What stands now, None for nothing; `line` says so."""

    summaries: Summaries | None
    sizes: tuple[SummarySize, ...]
    line: str


class SummaryScreen(PanelScreen[SummaryClosed]):
    """Blocks, oldest first, and the text of the one the cursor is on. Tokens are counted with `vocabulary`
    in a thread, where it can be had. `write` opens a text in the person's own editor."""

    CSS_PATH = ["panel.tcss", "summary.tcss"]  # noqa: RUF012 - Textual has it so
    HEADING = "Summary: what stands for old turns"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Read", priority=True),
        Binding("e", "edit", "Edit"),
        Binding("ctrl+g", "edit(True)", "$EDITOR", priority=True),
        Binding("u", "undo", "Undo"),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
    ]

    def __init__(
        self,
        summaries: SummaryService,
        conversation: str | None,
        vocabulary: Callable[[], AbstractContextManager[Vocabulary]],
        write: Callable[[str], str],
    ) -> None:
        super().__init__()
        self._service, self._conversation = summaries, conversation
        self._vocabulary, self._write = vocabulary, write
        self.rows = Rows(_COLUMNS)
        self._text = Static(id="text", markup=False)
        self._scroll = VerticalScroll(self._text)
        self._found = _Found(None, (), "")
        self._changed = False

    def parts(self) -> Iterator[Widget]:
        yield from (self.rows, self._scroll)

    def on_mount(self) -> None:
        self._scroll.focus()
        if self._conversation is None:
            self.say("nothing was said yet, so nothing is summarized")
        else:
            self.say("…")
            self._read("")

    def result(self) -> SummaryClosed:
        return SummaryClosed(self._changed)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a summary there is nothing to do with one."""
        if action in ("choose", "edit", "undo", "move"):
            return self._found.summaries is not None
        return super().check_action(action, parameters)

    def action_move(self, by: int) -> None:
        self.rows.move_cursor(row=self.rows.cursor_row + by)

    def action_choose(self) -> None:
        if block := self._block():
            self.app.push_screen(TextScreen(self._title(), passage(block)))

    def action_edit(self, outside: bool = False) -> None:
        block, found = self._block(), self._found.summaries
        if block is None or found is None:
            return
        if block != found.blocks[-1]:
            self.say("only the last summary can be edited: those before it are what it follows", wrong=True)
            return
        prose = block.prose

        def closed(saved: bool | None) -> None:
            if saved:
                self._changed = True
                self._read("it stands as you wrote it; its facts stay beside it, word for word")

        save = lambda text: self._save(prose, text)  # noqa: E731 - one line, and two arguments
        self.app.push_screen(EditScreen(self._title(), prose, save, self._write, outside=outside), closed)

    def action_undo(self) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.say("…")
                self.in_thread(self._undone, self._take_undone, group="changing", exclusive=False)

        self.app.push_screen(ConfirmScreen(_QUESTION, yes="Take it back", no="Leave it"), answered)

    @on(Rows.RowHighlighted)
    def _show_text(self) -> None:
        block = self._block()
        self._text.update(Text(clean(passage(block))) if block else "")
        self._scroll.scroll_home(animate=False)

    @on(Rows.RowSelected)
    def _selected(self) -> None:
        self.action_choose()

    def _save(self, before: str, text: str) -> None:
        """Put a text in the place of the one that was shown, and of no other."""

        def edited(prose: str) -> str:
            if prose != before:
                raise UsageError("the summary was changed meanwhile: copy your text, and edit the new one")
            return text

        self._service.edit(self._conversation, edited)

    def _undone(self) -> tuple[str, _Found]:
        line = undone(*self._service.undo(self._conversation))
        return line, self._look(line)

    def _take_undone(self, undone_: tuple[str, _Found]) -> None:
        self._changed = True
        self._take(undone_[1])

    def _read(self, line: str) -> None:
        """Look again, and say `line` of it, or how much is summarized."""
        self.in_thread(lambda: self._look(line), self._take)

    def _look(self, line: str) -> _Found:
        try:
            summaries = self._service.shown(self._conversation)
        except UsageError as nothing:
            return _Found(None, (), line or str(nothing))
        try:
            with self._vocabulary() as vocabulary:
                sizes = self._service.sizes(summaries, vocabulary)
        except EngineError:
            sizes = ()
        return _Found(summaries, sizes, line or _in_all(summaries, sizes))

    def _take(self, found: _Found) -> None:
        self._found = found
        rows = list(_rows(found))
        self.rows.show(rows, rows[-1].key if rows else None)
        self._show_text()
        self.say(found.line)
        self.refresh_bindings()

    def _block(self) -> SummaryBlock | None:
        key, found = self.rows.current, self._found.summaries
        return next((block for block in found.blocks if block.id == key), None) if found else None

    def _title(self) -> str:
        found = self._found.summaries
        at = self.rows.cursor_row
        return f"Summary of {span(*list(spans(found))[at])}" if found else ""


def _in_all(summaries: Summaries, sizes: Sequence[SummarySize]) -> str:
    turns = f"{span(1, summaries.turns)} in all"
    if not sizes:
        return turns
    exact = all(size.exact for size in sizes)
    before = amounts.estimate(sum(size.before for size in sizes), exact=exact)
    after = amounts.estimate(sum(size.after for size in sizes), exact=exact)
    return f"{turns}: {before} tokens before, {after} after"


def _rows(found: _Found) -> Iterator[Row]:
    if found.summaries is None:
        return
    blocks = found.summaries.blocks
    sizes = found.sizes or [None] * len(blocks)
    for block, (begin, end), size in zip(blocks, spans(found.summaries), sizes, strict=True):
        before, after = _worded(size)
        turns = f"{begin:,}" if begin == end else f"{begin:,} to {end:,}"
        cells = (turns, before, after, f"{len(block.facts):,}", AUTHORS[block.origin])
        yield Row(block.id, cells)


def _worded(size: SummarySize | None) -> tuple[str, str]:
    if size is None:
        return amounts.DASH, amounts.DASH
    return amounts.estimate(size.before, exact=size.exact), amounts.estimate(size.after, exact=size.exact)
