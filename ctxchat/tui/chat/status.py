"""One row: what is going on, and how full the KV cache is."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from ctxchat.display import amounts
from ctxchat.display.plain_text import clean
from ctxchat.display.progress import Meters
from ctxchat.domain.events import (
    CostPredicted,
    Prefilled,
    ReasoningGenerated,
    TextGenerated,
    TurnEvent,
    TurnFinished,
)
from ctxchat.domain.receipt import KvCost


class StatusLine(Horizontal):
    """Says the state of the turn on the left, and the cells on the right."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(id="status")
        self._clock = clock
        self._meters = Meters(clock)
        self._kv: KvCost | None = None
        self._beyond = 0
        self._state = Static("", classes="state")
        self._cells = Static(self._filled(), classes="cells")

    def compose(self) -> ComposeResult:
        yield self._state
        yield self._cells

    def begin(self) -> None:
        """A new turn begins."""
        self._meters = Meters(self._clock)

    def show(self, event: TurnEvent) -> None:
        """Take an event; `draw` shows what became of it."""
        self._meters.show(event)
        match event:
            case CostPredicted(kv):
                self._kv, self._beyond = kv, -kv.evaluated
            case Prefilled(done, total):
                self._beyond = done - total
            case TextGenerated() | ReasoningGenerated():
                self._beyond += 1
            case TurnFinished(receipt) if receipt.kv:
                self._kv, self._beyond = receipt.kv, 0
            case _:
                pass

    def draw(self) -> None:
        """Show the state of the turn as the events told it."""
        self.say(self._meters.line.partition(" · KV ")[0])
        self._cells.update(self._filled())

    def say(self, state: str) -> None:
        self._state.update(Content(clean(state)))

    def _filled(self) -> Content:
        if self._kv is None:
            return Content(f"KV {amounts.DASH}")
        used = self._kv.cells + self._beyond
        if self._kv.capacity is None:
            return Content(f"KV {used:,} at the server")
        return Content(f"KV {used:,}/{self._kv.capacity:,} · {amounts.size(self._kv.size(used))}")
