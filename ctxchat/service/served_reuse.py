"""Why a server had cached less of a prompt than it was sent before, in a person's words."""

from ctxchat.domain.prompt import Prompt
from ctxchat.service.reuse import LITTLE, Reuse, end_of_past

BLOCKS = (16, 32, 64, 128, 256)
"""Tokens that servers cache together: 16 by vLLM, 128 by hosted ones."""

HOSTED_LEAST = 1024
"""Tokens of a prompt from which on hosted servers cache it."""

ESTIMATED_SHARE = 0.2
"""By how much of a prompt an estimate of its tokens may be off."""


def served_miss(prompt: Prompt, cached: int, reuse: Reuse | None) -> str | None:
    """A sentence; None where all that was said before was cached. `reuse` is how the prompt met the one
    before it, None where that was sent by another process, or never."""
    if not prompt.verbatim_turns + prompt.summarized_turns:
        return _first_turn(prompt, cached)
    before = end_of_past(prompt) if reuse is None else min(reuse.agreed, prompt.total - 1)
    parts = [reuse.why if reuse else None, _lost(prompt, before, cached)]
    told = "; ".join(part for part in parts if part)
    return f"reused {cached:,} of {prompt.total:,} tokens: {told}" if told else None


def _first_turn(prompt: Prompt, cached: int) -> str:
    if not cached:
        return "first turn: nothing of it was read before"
    return f"first turn: the server had cached {cached:,} of {prompt.total:,} tokens; the rest is new"


def _lost(prompt: Prompt, before: int, cached: int) -> str | None:
    """Why the server had not all of what it was sent before."""
    missing = before - cached
    if not prompt.exact and prompt.total < HOSTED_LEAST:
        return None
    if missing <= (LITTLE if prompt.exact else max(LITTLE, ESTIMATED_SHARE * prompt.total)):
        return None
    if not cached:
        return "the server had cached nothing: it was restarted, gave the room to others, or caches none"
    had = f"the server had cached {cached:,} of the {before:,} tokens before the question"
    block = next((size for size in BLOCKS if cached % size == 0 and missing < size), None)
    return f"{had}: blocks of {block}" if block else f"{had}: it gave the room of the rest to others"
