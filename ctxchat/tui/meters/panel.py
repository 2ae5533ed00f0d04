"""The meters at the side of a chat, and the same in one row."""

from collections.abc import Callable, Sequence
from time import monotonic

from textual.events import Resize
from textual.widget import Widget

from ctxchat.domain.events import ModelLoading, Prefilled, ReasoningGenerated, TextGenerated, TurnEvent
from ctxchat.domain.receipt import Receipt
from ctxchat.service.draft_cost import Draft
from ctxchat.tui.meters.budget_bar import BudgetBar
from ctxchat.tui.meters.colours import look_of
from ctxchat.tui.meters.compact import CompactRow
from ctxchat.tui.meters.figures import Figures, of_conversation
from ctxchat.tui.meters.kv_bar import KvBar
from ctxchat.tui.meters.last_turn import LastTurn
from ctxchat.tui.meters.meter import Meter, View
from ctxchat.tui.meters.speed import SpeedMeter

REFRESH_SECONDS = 0.25
ROOMY_ROWS = 46
"""Rows from which on the panel has a row for every source, and taller sparklines."""


class Metering(Widget):
    """Folds events into figures, which its meters draw: at most four times a second where events come
    fast."""

    def __init__(
        self,
        *meters: Meter,
        id: str | None = None,  # noqa: A002
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(*meters, id=id)
        self._meters = meters
        self._clock = clock
        self._figures = Figures()
        self._draft: Draft | None = None
        self._waits = False

    def show(self, event: TurnEvent) -> None:
        """Take in the next event of a turn. Each counts: texts are counted one by one."""
        self.show_figures(
            self._figures.after(event, self._clock()),
            soon=isinstance(event, TextGenerated | ReasoningGenerated | Prefilled | ModelLoading),
        )

    def show_figures(self, figures: Figures, *, soon: bool = True) -> None:
        """Show what was folded elsewhere, in the thread of a turn: only the latest counts."""
        self._figures = figures
        if not soon:
            self._draw()
        elif not self._waits:
            self._waits = True
            self.set_timer(REFRESH_SECONDS, self._draw)

    def show_draft(self, draft: Draft | None) -> None:
        """Show what sending the words in the composer would cost; None where there are none."""
        if draft != self._draft:
            self._draft = draft
            self._draw()

    def show_conversation(self, receipts: Sequence[Receipt]) -> None:
        """Begin anew with a conversation: these are its turns so far, oldest first, as far as this
        process has seen them."""
        self._draft = None
        self.show_figures(of_conversation(receipts), soon=False)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw())

    def on_resize(self, _: Resize) -> None:
        self._draw()

    def _draw(self) -> None:
        self._waits = False
        if not self.is_mounted:
            return
        look = look_of(
            self.app.console.color_system, no_color=self.app.no_color, dark=self.app.current_theme.dark
        )
        roomy = self.size.height >= ROOMY_ROWS
        view = View(self._figures, self._draft, roomy, look)
        for meter in self._meters:
            meter.show(view)
        needed = sum(meter.rows for meter in self._meters) + len(self._meters) - 1
        self.set_class(needed <= self.size.height, "-spaced")


class MetersPanel(Metering):
    """Context, KV cache, speed and the last turn, one below the other."""

    DEFAULT_CSS = """
    MetersPanel {
        width: 34;
        height: 1fr;
        layout: vertical;
        padding: 0 1;
        overflow-y: auto;
        scrollbar-size: 0 0;
    }
    MetersPanel.-spaced Meter { margin-bottom: 1; }
    """

    def __init__(self, id: str | None = "meters", clock: Callable[[], float] = monotonic) -> None:  # noqa: A002
        meters = (BudgetBar(id="budget"), KvBar(id="kv"), SpeedMeter(id="speed"), LastTurn(id="last-turn"))
        super().__init__(*meters, id=id, clock=clock)


class CompactMeters(Metering):
    """One row where there is no room for the panel."""

    DEFAULT_CSS = """
    CompactMeters { height: 1; width: 1fr; }
    """

    def __init__(self, id: str | None = None, clock: Callable[[], float] = monotonic) -> None:  # noqa: A002
        super().__init__(CompactRow(), id=id, clock=clock)
