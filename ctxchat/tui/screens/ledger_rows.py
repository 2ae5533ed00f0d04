"""What the ledger screen says of a prompt: its rows, its sums, and what is heavy in it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ctxchat.display import amounts
from ctxchat.display.ledger import aligned, heavy
from ctxchat.domain.conversation import Section
from ctxchat.domain.prompt import Prompt
from ctxchat.service.rows import Action, Row
from ctxchat.tui.screens.list_screen import holds_words
from ctxchat.tui.screens.rows import Column
from ctxchat.tui.screens.rows import Row as Shown

COLUMNS = (
    Column("section", 10, needed=True),
    Column("turn", 5, right=True, needed=True),
    Column("tokens", 7, right=True, needed=True),
    Column("share", 7, right=True, needed=True),
    Column("text", needed=True),
)

_TURN = re.compile(r"\bturn (\d{1,9})\b")

_HEAVY, _LEFT_OUT = "▲ ", "✕ "

_REMEDIES = {
    Section.SYSTEM: "a shorter system message takes less",
    Section.PINS: "a pin that is taken out is sent no more",
    Section.SUMMARY: "a summary can be edited until it is shorter",
    Section.HISTORY: "Ctrl-O compacts it, Ctrl-D drops it",
    Section.DATA: "Ctrl-D drops what was attached",
    Section.QUESTION: "ask in fewer words",
}


@dataclass(frozen=True)
class Listing:
    """A prompt and its rows by their keys: what is sent in its order, then what is left out."""

    prompt: Prompt
    rows: Mapping[str, Row]

    @classmethod
    def of(cls, prompt: Prompt, rows: Iterable[Row]) -> "Listing":
        return cls(prompt, {str(place): row for place, row in enumerate(rows)})

    def shown(self, typed: str, *, by_weight: bool) -> list[Shown]:
        """Rows of the turn and with the words that are typed; with `by_weight` the largest come first."""
        turn, words = _TURN.search(typed), _TURN.sub("", typed)
        kept = [
            (key, row)
            for key, row in self.rows.items()
            if holds_words(_searched(row), words) and (turn is None or row.turn == int(turn[1]))
        ]
        if by_weight:
            kept.sort(key=lambda one: (one[1].reason is not None, -one[1].tokens))
        return [self._shown(key, row) for key, row in kept]

    def again(self, row: Row, before: "Listing") -> str | None:
        """The key of what a row has become that was pinned, dropped or put back: of what is left out now and
        was not `before`, else of the first row that says the same."""
        known = {(old.section, old.id) for old in before.rows.values() if old.reason is not None}
        new = (key for key, r in self.rows.items() if r.reason is not None and (r.section, r.id) not in known)
        same = (key for key, r in self.rows.items() if (r.section, r.text) == (row.section, row.text))
        return next(new, None) or next(same, None)

    def weight(self, row: Row) -> int | None:
        """Tokens of the heavy part a row is of, None where that is not heavy."""
        return None if row.reason is not None else self._heavy.get((row.section, row.id))

    def detail(self, key: str) -> str:
        """What is to be said of a row, above its text."""
        row = self.rows[key]
        tokens, lead = self.weight(row), ""
        if row.reason is not None:
            again = ": Ctrl-D puts it back" if Action.PUT_BACK in row.actions else ""
            lead = f"left out, {row.reason}{again}\n"
        elif tokens is not None:
            share = self._share(tokens)
            lead = f"heavy: {tokens:,} tokens, {share} of what may be used: {_REMEDIES[row.section]}\n"
        return f"{lead}{row.text}"

    def title(self, key: str) -> str:
        """What a row is, in a line."""
        row = self.rows[key]
        turn = f"turn {row.turn:,}" if row.turn is not None else ""
        return ", ".join(filter(None, (row.section.value, turn, f"{row.tokens:,} tokens", row.id)))

    def tokens_through(self, row: Row) -> int:
        """Tokens of the turns that are sent, up to and with that of a row."""
        last = row.turn or 0
        return sum(r.tokens for r in self.rows.values() if r.reason is None and 0 < (r.turn or 0) <= last)

    def sum_line(self) -> str:
        """The whole in a line, then its sections."""
        prompt = self.prompt
        sections = ", ".join(f"{section} {tokens:,}" for section, tokens in prompt.sections.items() if tokens)
        whole = f"{self._total} of {prompt.usable:,} tokens that may be used, {self._share(prompt.total)}"
        return f"{whole}: {sections}"

    def sum_table(self) -> str:
        """The sections with their shares, the whole, and what it may be."""
        return "\n".join(aligned(self._sums(), right=(1, 2)))

    def _sums(self) -> Iterator[tuple[str, str, str]]:
        prompt = self.prompt
        for section, tokens in prompt.sections.items():
            yield section.value, f"{tokens:,}", self._share(tokens)
        yield "", "", ""
        yield "in all", self._total, self._share(prompt.total)
        yield "may be used", f"{prompt.usable:,}", ""
        yield "for the answer", f"{prompt.reserve:,}", ""
        yield "window", f"{prompt.window:,}", ""
        if prompt.dropped:
            yield "left out", f"{sum(one.tokens for one in prompt.dropped):,}", ""

    def _shown(self, key: str, row: Row) -> Shown:
        left_out = row.reason is not None
        mark = _LEFT_OUT if left_out else _HEAVY if self.weight(row) is not None else "  "
        cells = (
            f"{mark}{row.section}",
            amounts.DASH if row.turn is None else f"{row.turn:,}",
            f"{row.tokens:,}",
            amounts.DASH if left_out else self._share(row.tokens),
            f"{row.reason}: {row.text}" if left_out else row.text,
        )
        return Shown(key, cells, dim=left_out or row.section is Section.TEMPLATE)

    @cached_property
    def _heavy(self) -> Mapping[tuple[Section, str | None], int]:
        return heavy(self.prompt)

    @property
    def _total(self) -> str:
        return amounts.estimate(self.prompt.total, exact=self.prompt.exact)

    def _share(self, tokens: int) -> str:
        usable = self.prompt.usable
        return f"{100 * tokens / usable:.1f} %" if usable > 0 else amounts.DASH


def _searched(row: Row) -> str:
    """All that words find a row by."""
    left_out = "" if row.reason is None else f"left out {row.reason}"
    return f"{row.section} {left_out} {row.text}"
