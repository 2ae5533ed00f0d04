"""The whole ledger: what the next turn would send, what the last one sent, and what that cost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from ctxchat.domain.conversation import Conversation
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Receipt
from ctxchat.service.references import resolve
from ctxchat.service.rows import Action, Row, RowService
from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.ledger_costs import costs
from ctxchat.tui.screens.ledger_rows import COLUMNS, Listing
from ctxchat.tui.screens.list_screen import ListScreen
from ctxchat.tui.screens.rows import Column
from ctxchat.tui.screens.text import TextScreen

_NEXT, _LAST, _COSTS = range(3)
_TITLES = ("Next turn", "Last turn", "What it cost")
_ACTIONS = {action.name.lower(): action for action in Action}


@dataclass(frozen=True, slots=True)
class LedgerClosed:
    """Whether the next prompt is another now, and the message up to which a person wants turns folded."""

    changed: bool = False
    compact: str | None = None


class LedgerScreen(ListScreen[LedgerClosed]):
    """Rows of a prompt with their tokens, and what can be done with each. `standing` gives the next
    prompt of a conversation; it is called in a thread, and after each change again."""

    CSS_PATH = ["panel.tcss", "ledger.tcss"]  # noqa: RUF012 - Textual has it so
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - Textual has it so
    HEADING = "Ledger"
    TYPE_HERE = "type a section, “turn 3”, “left out”, or words"
    COLUMNS: ClassVar[tuple[Column, ...]] = COLUMNS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Read", priority=True),
        Binding("tab", "turn_to(1)", "More", priority=True),
        Binding("shift+tab", "turn_to(-1)", show=False, priority=True),
        Binding("ctrl+k", "pin", "Pin", priority=True),
        Binding("ctrl+d", "drop", "Drop", priority=True),
        Binding("ctrl+d", "put_back", "Put back", priority=True),
        Binding("ctrl+o", "compact", "Compact", priority=True),
        Binding("ctrl+s", "sort", "Sort", priority=True),
    ]

    def __init__(
        self,
        rows: RowService,
        conversation: str | None,
        standing: Callable[[Conversation], Prompt],
        receipt: Receipt | None,
    ) -> None:
        super().__init__()
        self._service, self._conversation = rows, conversation
        self._standing = standing
        self._receipt = (
            receipt if receipt and conversation and receipt.session in (None, conversation) else None
        )
        self._counting = Lock()
        self._listing: Listing | None = None
        self._at, self._by_weight, self._changed, self._told = _NEXT, False, False, ""
        self._titles = Static(id="lists", markup=False)
        self._sum_line, self._sums = Static(id="sum-line", markup=False), Static(id="sums", markup=False)
        self._costs = Static(id="costs", markup=False)
        self._table = Horizontal(self.rows, self._sums, id="ledger")
        self._scroll = VerticalScroll(self._costs, id="cost-scroll")

    def parts(self) -> Iterator[Widget]:
        yield from (self._titles, self.line, self._sum_line, self._table, self._scroll, self._below)

    def on_mount(self) -> None:
        self._turn_to(_NEXT)

    def result(self) -> LedgerClosed:
        return LedgerClosed(self._changed)

    def filtered(self) -> None:
        self._show(self.rows.current)

    def detail(self, key: str) -> str:
        return self._listing.detail(key) if self._listing else ""

    def show_detail(self) -> None:
        super().show_detail()
        self.refresh_bindings()

    def choose(self, key: str) -> None:
        """The text of a row, whole."""
        if self._listing:
            self.app.push_screen(TextScreen(self._listing.title(key), self._listing.rows[key].text))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that change nothing about the row the cursor is on are not offered."""
        if action in _ACTIONS:
            row = self._row()
            return row is not None and _ACTIONS[action] in row.actions
        if action in ("choose", "sort"):
            return self._listing is not None
        return super().check_action(action, parameters)

    def action_turn_to(self, by: int) -> None:
        self._turn_to((self._at + by) % len(_TITLES))

    def action_sort(self) -> None:
        self._by_weight = not self._by_weight
        self._show(None)

    def action_pin(self) -> None:
        if row := self._row():
            self._change(lambda: self._service.pin(self._conversation, row), "it now stands in every prompt")

    def action_drop(self) -> None:
        if row := self._row():
            line = "it is sent no more, and stands at the end of the list: Ctrl-D puts it back"
            self._change(lambda: self._service.drop(self._conversation, row), line)

    def action_put_back(self) -> None:
        if row := self._row():
            self._change(lambda: self._service.put_back(self._conversation, row), "it is sent again")

    def action_compact(self) -> None:
        row, listing = self._row(), self._listing
        if row is None or listing is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.dismiss(LedgerClosed(self._changed, row.message))

        turn = "this message" if row.turn is None else f"turn {row.turn:,}"
        question = (
            f"Fold all that is sent word for word up to {turn}, {listing.tokens_through(row):,} tokens, "
            "into a summary? The messages stay on record, and it can be undone."
        )
        self.app.push_screen(ConfirmScreen(question, yes="Compact", no="Leave it"), answered)

    def _row(self) -> Row | None:
        key = self.rows.current
        return self._listing.rows.get(key) if self._listing and key is not None else None

    def _turn_to(self, at: int) -> None:
        """Show one of the three, from its beginning."""
        self._at, self._listing, self._told = at, None, ""
        line = Text()
        for place, title in enumerate(_TITLES):
            line.append(f" {title} ", style="bold reverse" if place == at else "dim").append("  ")
        self._titles.update(line)
        self.set_class(at == _COSTS, "-costs")
        with self.line.prevent(Input.Changed):
            self.line.value = ""
        self._clear()
        (self._scroll if at == _COSTS else self.line).focus()
        if at == _NEXT:
            self._read()
        elif self._receipt is None:
            self.say("nothing was asked here yet since the program began")
        elif at == _COSTS:
            self.say("")
            self._costs.update(costs(self._receipt))
        elif self._receipt.prompt is None:
            self.say("the last turn never came to a prompt")
        else:
            self._read_last(self._receipt.prompt)

    def _clear(self) -> None:
        for widget in (self._sum_line, self._sums, self._costs):
            widget.update("")
        self.rows.show([])
        self.show_detail()

    def _read(self, changed: Row | None = None) -> None:
        """Count the next prompt; the cursor then stands on the row that was `changed`, where that is now."""
        if self._conversation is None:
            self.say("nothing was said yet: what you ask makes a conversation")
            return
        before = self._listing
        self.say("counting the next prompt …")

        def take(listing: Listing) -> None:
            self._take(_NEXT, listing, listing.again(changed, before) if changed and before else None)

        self.in_thread(self._count_next, take)

    def _count_next(self) -> Listing:
        with self._counting:
            conversation = resolve(self._service.conversations, self._conversation)
            prompt = self._standing(conversation)
            return Listing.of(prompt, self._service.listing(conversation, prompt))

    def _read_last(self, prompt: Prompt) -> None:
        self.say("…")

        def read() -> Listing:
            conversation = resolve(self._service.conversations, self._conversation)
            return Listing.of(prompt, self._service.listing(conversation, prompt))

        self.in_thread(read, lambda listing: self._take(_LAST, listing, None))

    def _take(self, at: int, listing: Listing, key: str | None) -> None:
        if at != self._at:
            return
        self._listing = listing
        self._sum_line.update(Text(listing.sum_line()))
        self._sums.update(Text(listing.sum_table()))
        self._show(key)
        told, self._told = self._told, ""
        if told:
            self.say(told)

    def _show(self, at: str | None) -> None:
        """Rows that what is typed leaves, the cursor on the one of a key, else on the first."""
        listing = self._listing
        if listing is None:
            return
        shown = listing.shown(self.typed, by_weight=self._by_weight)
        self.rows.show(shown, at)
        left_out = sum(row.reason is not None for row in listing.rows.values())
        found = f"{len(shown):,} of {len(listing.rows):,} rows"
        self.say(found + (f", {left_out:,} left out" if left_out else ""))
        self.show_detail()

    def _change(self, change: Callable[[], object], done: str) -> None:
        """Change the conversation in a thread, and count again; where it cannot be, all stays as it is."""
        row, at = self._row(), self._at

        def changed(_: object) -> None:
            self._changed = True
            self._told = done
            if at == self._at == _NEXT:
                self._read(row)
            else:
                self.say(done)

        self.say("…")
        self.in_thread(change, changed, group="changing", exclusive=False)
