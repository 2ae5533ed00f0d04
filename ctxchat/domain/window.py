"""How large a prompt and its answer may be together, in tokens."""

from dataclasses import dataclass

from ctxchat.domain.errors import UsageError
from ctxchat.domain.prompt import Prompt

DEFAULT_WINDOW = 8_192
LEAST_RESERVE, MOST_RESERVE = 64, 4_096


@dataclass(frozen=True, slots=True)
class Window:
    """`size` holds prompt and answer; `reserve` of it is kept for the answer and limits it."""

    size: int
    reserve: int
    trained: int

    @property
    def warning(self) -> str | None:
        if self.size <= self.trained:
            return None
        return (
            f"the window of {self.size:,} tokens is larger than the {self.trained:,} this model was "
            "trained for: answers may lose the thread"
        )


def window_size(wanted: int | None, trained: int, room: int | None = None) -> int:
    """The window: what was set, else the smallest of the trained window, 8,192, and what memory has room
    for."""
    return wanted or min(trained, DEFAULT_WINDOW, room or DEFAULT_WINDOW)


def choose_window(
    wanted: int | None,
    trained: int,
    max_tokens: int | None,
    room: int | None = None,
    *,
    is_most: bool = False,
) -> Window:
    """The window and its reserve: `max_tokens` where it is set, else an eighth of the window
    within 64 and 4,096. Where `trained` is the most there is, more is not given."""
    size = window_size(min(wanted, trained) if wanted and is_most else wanted, trained, room)
    reserve = max_tokens or max(LEAST_RESERVE, min(size // 8, MOST_RESERVE))
    if reserve >= size:
        raise UsageError(
            f"an answer of {reserve:,} tokens leaves nothing of a window of {size:,}: "
            "lower --max-tokens or raise --ctx-size"
        )
    return Window(size, reserve, trained)


def too_large(prompt: Prompt, window: Window, usable: int) -> str:
    """What to tell somebody whose prompt does not fit into `usable` tokens: by how much, why, and
    what would help."""
    excess = prompt.total - usable
    largest, tokens = max(prompt.sections.items(), key=lambda item: item[1])
    helps = [f"shorten the input by {excess:,} tokens"]
    if window.size + excess <= window.trained:
        helps.append(f"set --ctx-size {window.size + excess} (this model was trained for {window.trained:,})")
    if window.reserve > excess:
        helps.append(f"set --max-tokens {window.reserve - excess}")
    return (
        f"the prompt is {prompt.total:,} tokens and {usable:,} may be used "
        f"(window {window.size:,} less {window.reserve:,} for the answer): {excess:,} too many, "
        f"and {tokens:,} of the prompt are {largest}; {' or '.join(helps)}"
    )
