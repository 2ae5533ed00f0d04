"""The answer as Markdown on a terminal: finished blocks stand, the open one is drawn again."""

import time
from collections.abc import Callable

from ctxchat.cli.terminal.screen import Screen
from ctxchat.cli.terminal.status import StatusLine
from ctxchat.display.blocks import Blocks
from ctxchat.display.plain_text import clean
from ctxchat.domain.events import (
    Prefilled,
    ReasoningGenerated,
    TextGenerated,
    TurnEvent,
    TurnFinished,
    Warned,
)

_LEAST_INTERVAL = 0.1


class MarkdownAnswer:
    """Draws at most ten times a second, and only the block that is open, as far as it fits on the
    screen; an open code block is plain until it closes. So a long answer costs no more a token
    than a short one."""

    def __init__(
        self, screen: Screen, status: StatusLine | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._screen = screen
        self._status = status
        self._clock = clock
        self._blocks = Blocks()
        self._finished: list[str] = []
        self._height = 0
        self._printed = False
        self._drawn_at = -_LEAST_INTERVAL

    def show(self, event: TurnEvent) -> None:
        match event:
            case TextGenerated(text):
                self._finished += self._blocks.add(clean(text))
                if self._clock() - self._drawn_at >= _LEAST_INTERVAL:
                    self._draw()
            case TurnFinished():
                self._finished.append(self._blocks.finish())
                self._draw()
            case Prefilled(done=0):
                # Imported while the model reads: it would hold up the beginning, or the first words.
                import ctxchat.cli.terminal.rendering  # noqa: F401
            case Warned() | ReasoningGenerated():
                # Something else was, or will be, written below: what stands there stays.
                self._height = 0
            case _:
                pass

    def _draw(self) -> None:
        if self._status:
            self._status.erase()
        parts = [f"\r\x1b[{self._height}A\x1b[J" if self._height else ""]
        for block in self._finished:
            if block.strip():
                parts.append(self._separated(self._rendered(block)))
                self._printed = True
        self._finished.clear()
        tail = self._open_lines()
        self._height = len(tail)
        parts += [f"{line}\n" for line in tail]
        self._screen.out.write("".join(parts))
        self._screen.out.flush()
        self._drawn_at = self._clock()
        if self._status:
            self._status.draw()

    def _separated(self, lines: list[str]) -> str:
        """A block's lines, after an empty one where a block stands before it."""
        return "".join(f"{line}\n" for line in (["", *lines] if self._printed else lines))

    def _open_lines(self) -> list[str]:
        """The last lines of the open block, as many as can be taken back again."""
        text = self._blocks.open
        if not text.strip():
            return []
        room = max(1, self._screen.rows - 2)
        if self._blocks.in_code:
            from ctxchat.cli.terminal.rendering import folded

            lines = folded("\n".join(text.rstrip("\n").split("\n")[-room:]), self._screen.columns)
        else:
            lines = self._rendered(text)
        return (["", *lines] if self._printed else lines)[-room:]

    def _rendered(self, markdown: str) -> list[str]:
        from ctxchat.cli.terminal.rendering import rendered

        return rendered(markdown, self._screen.columns, colour=self._screen.colour)
