"""Whose tokens stand where: the parts of a window, and of the KV cache, in the order they are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

from ctxchat.domain.conversation import Section
from ctxchat.tui.meters.colours import ANSWER, DISK, DRAFT, FREE, NEW, RESERVE, REUSED
from ctxchat.tui.meters.figures import Draft, Figures


@dataclass(frozen=True, slots=True)
class Shares:
    """Tokens by source, and the `window` or capacity they are parts of. They add up to it, unless `over`
    tokens of the prompt stand outside."""

    parts: Mapping[str, int]
    window: int

    @property
    def over(self) -> int:
        return sum(self.parts.values()) - self.window


def window_shares(figures: Figures, draft: Draft | None = None) -> Shares | None:
    """The window by sections, what is kept for the answer, and what is free: that is where a draft
    stands, with the answer before it, which history will hold. None before anything is known."""
    prompt = figures.prompt
    if prompt is None and draft is None:
        return None
    sections = prompt.sections if prompt else dict.fromkeys(Section, 0)
    window = draft.window if draft else prompt.window if prompt else 0
    reserve = draft.reserve if draft else prompt.reserve if prompt else 0
    used = sum(sections.values())
    added = max(draft.tokens, draft.total - used) if draft and draft.tokens else 0
    reserved = max(0, min(reserve, window - used))
    free = max(0, window - used - reserved)
    ghost = min(added, free)
    parts: dict[str, int] = {section.value: sections[section] for section in Section}
    return Shares(parts | {DRAFT: ghost, RESERVE: reserved, FREE: free - ghost}, window)


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
    capacity = max(kv.capacity, cells)
    parts = {REUSED: reused, DISK: disk, NEW: new, ANSWER: answer, FREE: capacity - cells}
    return Shares(parts, capacity)
