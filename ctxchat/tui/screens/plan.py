"""What the next turn would cost under other choices."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from ctxchat.context.alternatives import Alternative, Choice, count_passages
from ctxchat.display import amounts
from ctxchat.display.ledger import aligned
from ctxchat.domain.prompt import Dropped
from ctxchat.service.plan import Costing
from ctxchat.tui.screens.dial import Dial
from ctxchat.tui.screens.panel import PanelScreen

_STEPS = 32
"""Places of the dial of the budget."""


class PlanScreen(PanelScreen[None]):
    """Four dials, and what the prompt costs where they stand, beside what it costs now. `costing` is
    called in a thread; None means that there is nothing to cost."""

    HEADING = "Plan: what the next turn would cost"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", "Next", key_display="↑↓"),
        Binding("r", "reset", "As it is"),
    ]

    def __init__(self, costing: Callable[[], Costing | None]) -> None:
        super().__init__()
        self._open = costing
        self._costing: Costing | None = None
        self._total, self._costs = Static(id="total", markup=False), Static(id="costs", markup=False)
        self._place = Vertical(id="dials")
        self._dials: tuple[Dial, ...] = ()

    def parts(self) -> Iterator[Widget]:
        yield from (self._total, self._place, VerticalScroll(self._costs, can_focus=False))

    def on_mount(self) -> None:
        self.say("counting the next prompt …")
        self.in_thread(self._open, self._opened)

    def on_dial_turned(self) -> None:
        self._show()

    async def action_reset(self) -> None:
        if self._costing is not None:
            await self._lay_out(self._costing)

    def _opened(self, costing: Costing | None) -> None:
        self._costing = costing
        if costing is None:
            self.say("there is no prompt to cost: ask something first, or load a model of your own")
        else:
            self.call_later(self._lay_out, costing)

    async def _lay_out(self, costing: Costing) -> None:
        """The dials, each where the prompt is now."""
        prompt = costing.prompt
        self._total.update(Text(_total(costing)))
        await self._place.remove_children()
        types, most = list(costing.cell_bytes), prompt.usable
        budgets = sorted({max(1, most * step // _STEPS) for step in range(1, _STEPS + 1)})
        passages = count_passages(prompt)
        self._dials = (
            Dial("budget", budgets, [f"{b:,} tokens" for b in budgets], len(budgets) - 1),
            Dial("cached keys", range(len(types)), list(map(_keys, types)), types.index(costing.type_k)),
            _up_to("turns kept", prompt.verbatim_turns),
            _up_to("notes kept", passages),
        )
        await self._place.mount_all(self._dials)
        self._dials[0].focus()
        self._show()

    def _show(self) -> None:
        costing = self._costing
        if costing is None:
            return
        now = costing.alternative(Choice(costing.prompt.usable, costing.type_k))
        then = costing.alternative(self._choice(costing))
        rows = aligned(_compared(costing, now, then), right=(1, 2, 3))
        lines = [*rows, *_left_out(then.dropped), "", _parts(costing)]
        self._costs.update(Text("\n".join(lines)))
        if then.total > then.budget:
            self.say(
                f"{then.total - then.budget:,} tokens too many: the question alone needs more", wrong=True
            )
        else:
            self.say(_to_keep(costing, then))

    def _choice(self, costing: Costing) -> Choice:
        budget, kind, turns, notes = self._dials
        return Choice(
            budget.value,
            list(costing.cell_bytes)[kind.value],
            None if turns.at_end else turns.value,
            None if notes.at_end else notes.value,
        )


def _up_to(name: str, most: int) -> Dial:
    values = range(most + 1)
    return Dial(name, values, [f"{value:,} of {most:,}" for value in values], most)


def _keys(kind: str | None) -> str:
    return kind or "at the server"


def _total(costing: Costing) -> str:
    prompt = costing.prompt
    return (
        f"{amounts.estimate(prompt.total, exact=prompt.exact)} of {prompt.usable:,} tokens that may be used"
    )


def _parts(costing: Costing) -> str:
    sections = costing.prompt.sections
    return "of now: " + ", ".join(f"{section} {tokens:,}" for section, tokens in sections.items() if tokens)


def _compared(costing: Costing, now: Alternative, then: Alternative) -> Iterator[tuple[str, ...]]:
    yield "", "now", "then", "change"
    yield _counted("prompt, tokens", now.total, then.total)
    yield _counted("read anew", now.evaluated, then.evaluated)
    yield _counted("from cells", now.total - now.evaluated, then.total - then.evaluated)
    yield _counted("recalled", now.notes, then.notes)
    yield "until it is read", amounts.seconds(now.prefill), amounts.seconds(then.prefill), _slower(now, then)
    yield "answer speed", _rate(costing, now), _rate(costing, then), ""
    if now.cost and then.cost:
        yield "money, prompt", amounts.money(now.cost), amounts.money(then.cost), ""
    if now.bytes is not None and then.bytes is not None:
        yield "KV", amounts.size(now.bytes), amounts.size(then.bytes), _larger(then.bytes - now.bytes)


def _counted(what: str, now: int, then: int) -> tuple[str, ...]:
    return what, f"{now:,}", f"{then:,}", f"{then - now:+,}" if then != now else ""


def _slower(now: Alternative, then: Alternative) -> str:
    if now.prefill is None or then.prefill is None or now.prefill == then.prefill:
        return ""
    change = then.prefill - now.prefill
    return ("+" if change > 0 else "-") + amounts.seconds(abs(change))


def _larger(change: int) -> str:
    return (("+" if change > 0 else "-") + amounts.size(abs(change))) if change else ""


def _rate(costing: Costing, choice: Alternative) -> str:
    """How fast the answer comes behind this prompt."""
    curve = costing.curves.get(choice.type_k)
    seconds = curve.decode(choice.total) if curve else 0.0
    return amounts.rate(1 / seconds if seconds > 0 else None)


def _left_out(dropped: Sequence[Dropped]) -> Iterator[str]:
    """A line for turns, and one for passages: the first and the last, and their tokens."""
    for section, found in groupby(dropped, lambda one: one.section):
        ones = list(found)
        last = f" to {ones[-1].id}" if len(ones) > 1 else ""
        yield f"left out of {section}: {ones[0].id}{last}, {sum(one.tokens for one in ones):,} tokens"


def _to_keep(costing: Costing, then: Alternative) -> str:
    """The flags that make a choice hold."""
    flags = []
    if then.budget != costing.prompt.usable:
        flags.append(f"--budget {then.budget}")
    if then.type_k != costing.type_k:
        flags.append(f"--cache-type-k {then.type_k}")
    return f"to keep it: ctxchat {' '.join(flags)}" if flags else ""
