"""The one live line of meters on stderr."""

import time
from collections.abc import Callable
from typing import TextIO

from ctxchat.display.progress import Meters
from ctxchat.domain.events import Prefilled, TurnEvent, TurnFinished

ERASE_LINE = "\r\x1b[K"
_LEAST_INTERVAL = 0.1


class StatusLine:
    """Meters that are drawn over themselves and gone when the turn is done.

    Whoever writes on the same terminal calls `erase` before and `draw` after. `columns` asks for
    the width, `paint` colours the line.
    """

    def __init__(
        self,
        err: TextIO,
        columns: Callable[[], int],
        paint: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._err = err
        self._columns = columns
        self._paint = paint
        self._clock = clock
        self._meters = Meters(clock)
        self._drawn = False
        self._drawn_at = -_LEAST_INTERVAL
        self._closed = False

    def show(self, event: TurnEvent) -> None:
        self._meters.show(event)
        if isinstance(event, TurnFinished):
            self.close()
        elif self._clock() - self._drawn_at >= _LEAST_INTERVAL or _ends_prefill(event):
            self.draw()

    def draw(self) -> None:
        if self._closed or not self._meters.line:
            return
        # Room is left for the `^C` that a terminal echoes, so that it stays on this line.
        line = self._meters.line[: self._columns() - 3]
        self._err.write(ERASE_LINE + self._paint(line))
        self._err.flush()
        self._drawn, self._drawn_at = True, self._clock()

    def erase(self) -> None:
        if self._drawn:
            self._err.write(ERASE_LINE)
            self._err.flush()
            self._drawn = False

    def close(self) -> None:
        """Erase the line for good."""
        self.erase()
        self._closed = True


def _ends_prefill(event: TurnEvent) -> bool:
    """Whether a prompt is read to its end: that is shown however soon it comes."""
    return isinstance(event, Prefilled) and event.done == event.total
