"""The token that stops a turn, from any thread and any phase."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancel:
    """Set once; whoever works under it looks at `requested`, or asks to be called back.

    A plain attribute and no lock, because a signal handler sets it: one that waited for a lock
    held by the frame it interrupted would wait for ever. A callback runs in the thread that
    cancels, so it must not block: the engine's flips one byte that llama.cpp polls.
    """

    def __init__(self) -> None:
        self.requested = False
        self._callbacks: list[Callable[[], None]] = []

    def request(self) -> None:
        self.requested = True
        for callback in tuple(self._callbacks):
            callback()

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call `callback` at the request, at once where it was made already."""
        self._callbacks.append(callback)
        if self.requested:
            callback()
        try:
            yield
        finally:
            self._callbacks.remove(callback)
