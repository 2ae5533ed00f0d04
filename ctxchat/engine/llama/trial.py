"""Cells of their own over a model, in which work is timed and the chat's cells are left alone."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError, ModelError
from ctxchat.engine.llama.cells import CHAT, SIDE
from ctxchat.engine.llama.context import LlamaContext, Outcome
from ctxchat.engine.llama.loaded import LoadedModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.threads import Threads

LEAST_CELLS = 512

STRIDE = 7919
"""A prime, by which the tokens that are read are spread over the vocabulary."""


class InterruptedTrialError(Exception):
    """The trial was stopped; what was timed before holds."""


@contextmanager
def trial(loaded: LoadedModel, options: EngineOptions, cells: int, stop: Cancel) -> Iterator["Trial"]:
    """A trial over so many cells, or half as many, and so on, where there is no memory for them.
    Raises ModelError where there is none for the least, too."""
    context = _largest(loaded, options, cells)
    try:
        with stop.calling(context.interrupt):
            yield Trial(context, time.monotonic if loaded.resolved.offloaded else time.thread_time)
    finally:
        context.close()


class Trial:
    """Reads and decodes tokens of no meaning; every method raises InterruptedTrialError where it was
    stopped. `depth` counts the cells that the next token attends to."""

    def __init__(self, context: LlamaContext, clock: Callable[[], float]) -> None:
        self.capacity = context.capacity
        self.slice = context.slice
        self.depth = 0
        self.context = context
        self._place = 0
        self._clock = clock

    @property
    def ids(self) -> tuple[int, ...]:
        """The tokens that were read, while nothing was laid on."""
        return self._ids(0, self._place)

    def use_threads(self, threads: int) -> None:
        self.context.use_threads(Threads(threads, threads))

    def use(self, threads: Threads) -> None:
        self.context.use_threads(threads)

    def read(self, tokens: int) -> float:
        """Seconds to read so many."""
        began = time.monotonic()
        for begin in range(0, tokens, self.slice):
            last = begin + self.slice >= tokens
            self._evaluate(min(self.slice, tokens - begin), predict=int(last))
        self.context.wait()
        return time.monotonic() - began

    def decode(self, tokens: int) -> float:
        """Seconds to decode so many, one at a time."""
        began = time.monotonic()
        for _ in range(tokens):
            self._evaluate(1, predict=1)
            self.context.wait()
        return time.monotonic() - began

    def read_at_once(self, tokens: int) -> float:
        """Seconds to evaluate so many together, with a prediction behind each; they are taken back. On a
        CPU they are of this thread alone, so that other processes do not count: the longer an evaluation
        takes, the more of them come between."""
        began = self._clock()
        self._evaluate(tokens, predict=tokens)
        self.context.wait()
        seconds = self._clock() - began
        self.forget(tokens)
        return seconds

    def forget(self, tokens: int) -> None:
        """Take back the tokens read last. A model that cannot forget some of them forgets all."""
        self._place -= tokens
        self.depth -= tokens
        if not self.context.keep(CHAT, self._place):
            self.context.keep(CHAT, 0)
            self._place = self.depth = 0

    def deepen(self, depth: int, until: float) -> None:
        """Lie on about so many cells without reading them: copies of the cells that are there, whose
        positions repeat. They weigh what others would, and take milliseconds, until a moment of the
        monotonic clock is past."""
        copied = self._place
        if not copied:
            return
        state = self.context.sequence_state(CHAT)
        while self.depth + copied <= min(depth, self.capacity) and time.monotonic() < until:
            if not self.context.add_copy(state, CHAT, SIDE):
                return
            self.depth += copied

    def _evaluate(self, count: int, *, predict: int) -> None:
        ids = self._ids(self._place, self._place + count)
        outcome = self.context.evaluate(CHAT, self._place, ids, predict=predict)
        if outcome == Outcome.INTERRUPTED:
            raise InterruptedTrialError
        if outcome != Outcome.DONE:
            raise EngineError(f"the model cannot be measured: llama.cpp returned {outcome}")
        self._place += count
        self.depth += count

    def _ids(self, begin: int, end: int) -> tuple[int, ...]:
        return tuple(place * STRIDE % self.context.vocabulary_size for place in range(begin, end))


def _largest(loaded: LoadedModel, options: EngineOptions, cells: int) -> LlamaContext:
    room = loaded.cache.room
    while room and cells > LEAST_CELLS and not room.holds(cells):
        cells //= 2
    while True:
        try:
            return LlamaContext(loaded.weights, options, loaded.resolved, cells)
        except ModelError:
            if cells <= LEAST_CELLS:
                raise
            cells //= 2
