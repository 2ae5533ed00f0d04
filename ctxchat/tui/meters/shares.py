"""Whose tokens stand where: the parts of a window, and of the KV cache, in the order they are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

from ctxchat.domain.conversation import Section
from ctxchat.service.draft_cost import Draft
from ctxchat.tui.meters.colours import ANSWER, DISK, DRAFT, FREE, NEW, RESERVE, REUSED
from ctxchat.tui.meters.figures import Figures


@dataclass(frozen=True, slots=True)
class Shares:
    """Tokens by source, and the `window` or capacity they are parts of. They add up to it, unless `over`
    tokens of the prompt stand outside. `exact` is False where they were estimated."""

    parts: Mapping[str, int]
    window: int
    exact: bool = True

    @property
    def over(self) -> int:
        return sum(self.parts.values()) - self.window


def window_shares(figures: Figures, draft: Draft | None = None) -> Shares | None:
    """The window by sections, what is kept for the answer, and what is free. At rest it is that of the
    prompt in which a draft would be sent, the draft itself apart. None before anything is known."""
    drafted = None if figures.stage.is_turn else draft
    prompt = drafted or figures.prompt
    if prompt is None:
        return None
    parts: dict[str, int] = {section.value: prompt.sections[section] for section in Section}
    parts[DRAFT] = _moved(parts, drafted.tokens) if drafted else 0
    free = max(0, prompt.window - prompt.total)
    reserved = min(prompt.reserve, free)
    return Shares(parts | {RESERVE: reserved, FREE: free - reserved}, prompt.window, prompt.exact)


def _moved(parts: dict[str, int], tokens: int) -> int:
    """Take so many tokens out of the sections that a draft is counted under, and return them."""
    left = tokens
    for section in (Section.QUESTION, Section.DATA, Section.TEMPLATE):
        taken = min(left, parts[section])
        parts[section] -= taken
        left -= taken
    return tokens - left


def cell_shares(figures: Figures) -> Shares | None:
    """The cells of the cache: those reused, those read back from disk, those of the prompt that are
    new, those of the answer, and those that are free. None before anything is known."""
    kv, cells = figures.kv, figures.cells
    if kv is None or cells is None:
        return None
    disk = min(kv.restored, kv.reused, cells)
    reused = min(kv.reused, cells) - disk
    new = min(kv.evaluated, cells - reused - disk)
    answer = cells - reused - disk - new
    capacity = max(kv.capacity or 0, cells)
    parts = {REUSED: reused, DISK: disk, NEW: new, ANSWER: answer, FREE: capacity - cells}
    return Shares(parts, capacity)
