"""What a model costs, found in seconds: a few tokens on an empty cache, and a few on a deep one."""

import time
from dataclasses import dataclass
from threading import Timer

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.measurement import Calibration
from ctxchat.domain.speculation import BatchCosts
from ctxchat.engine.llama.costs import cell_ratio
from ctxchat.engine.llama.loaded import LoadedModel
from ctxchat.engine.llama.machine import usable_cores
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.threads import Threads
from ctxchat.engine.llama.trial import InterruptedTrialError, Trial, trial

DEEPEST = 4096
"""Cells a calibration lies on, where the window and the time allow it."""

SHORT, LONG, DECODED, LEAST = 128, 512, 8, 8
BATCHES, BATCH_ROUNDS, ALONE = (4, 8, 2, 3), 3, 5
"""Tokens that are evaluated at once, in this order as far as the time goes, so many times, and how often one
is alone before that."""

DOUBT = 2.0
"""Work may take so much longer than it was reckoned: what would not fit is made smaller, or left out."""


def calibrate(loaded: LoadedModel, options: EngineOptions, stop: Cancel, seconds: float) -> Calibration:
    """Measure within so many seconds, and learn it. Raises ModelError where there is no memory for it."""
    began = time.monotonic()
    window = loaded.resolved.window
    cells = min(window, DEEPEST) + LONG
    guard = Timer(seconds, stop.request)
    guard.start()
    try:
        with trial(loaded, options, cells, stop) as measured:
            calibration = _Calibration(measured, loaded, began + seconds)
            calibration.run(_candidates(options, loaded.costs.threads), min(window, DEEPEST))
    except InterruptedTrialError:
        pass
    finally:
        guard.cancel()
    loaded.costs.learn()
    threads = loaded.costs.threads
    return Calibration(
        calibration.deepest, window, time.monotonic() - began, (threads.prefill, threads.decode)
    )


def _candidates(options: EngineOptions, now: Threads) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of threads to read and to decode with: those in use first, and where they are not set
    one, half the cores, all but one, and all."""
    cores = usable_cores()
    every = [threads for threads in (1, cores // 2, cores - 1, cores) if threads > 0]
    reading = (now.prefill,) if options.threads_batch is not None else (now.prefill, *every)
    writing = (now.decode,) if options.threads is not None else (now.decode, *every)
    return tuple(dict.fromkeys(reading)), tuple(dict.fromkeys(writing))


@dataclass
class _Calibration:
    """One calibration while it lasts, until `deadline` on the monotonic clock."""

    trial: Trial
    loaded: LoadedModel
    deadline: float
    pace: float = 0.0
    """Seconds a token on an empty cache takes to read."""

    deepest: int = 0

    def run(self, candidates: tuple[tuple[int, ...], tuple[int, ...]], depth: int) -> None:
        reading, writing = candidates
        costs = self.loaded.costs
        best = self._try_threads(reading, writing)
        self.trial.use(best)
        if self._left() * 0.4 > LONG * self.pace * DOUBT:
            costs.saw_read(LONG, 0, self.trial.read(LONG), best.prefill)
            self.trial.forget(LONG - SHORT)
        elif not self.trial.depth:
            self.trial.read(self._tokens(SHORT, 0, share=0.2))
        if self.loaded.cache.trims:
            if self.loaded.cache.speculation != "off":
                self._try_batches()
            self.trial.use(best)
            self._go_deep(best, depth)

    def _try_threads(self, reading: tuple[int, ...], writing: tuple[int, ...]) -> Threads:
        """Observe every number of threads on an empty cache; returns those that took the least time."""
        every = tuple(dict.fromkeys((*reading, *writing)))
        read: dict[int, float] = {}
        decoded: dict[int, float] = {}
        for place, threads in enumerate(every):
            share = 0.5 / (len(every) - place)
            self.trial.use_threads(threads)
            self._warm_up()
            tokens = self._tokens(SHORT, 0, share=share * 0.7)
            if threads in reading:
                read[threads] = self._read(tokens, threads) / tokens
            if threads in writing:
                decoded[threads] = self._decode(threads, share * 0.3)
            self.trial.forget(self.trial.depth)
        return Threads(min(read, key=lambda t: read[t]), min(decoded, key=lambda t: decoded[t]))

    def _warm_up(self) -> None:
        """The first evaluations read the weights from the disk and start the threads."""
        self.trial.decode(1)
        self.trial.read(LEAST)
        self.pace = self.trial.read(LEAST) / LEAST
        self.trial.forget(self.trial.depth)

    def _try_batches(self) -> None:
        """Evaluate several tokens at once, and one alone behind them, as often as a share of the time allows,
        with the threads that will be worked with: they need not be those that were quickest just now. What
        both take beyond one alone among its like is what the several cost: a GPU has to prepare anew for
        each other number of tokens, before and behind."""
        self.loaded.costs.learn()
        threads = self.loaded.costs.threads
        self.trial.use(threads)
        until = time.monotonic() + self._left() * 0.3
        alone = min(self.trial.read_at_once(1) for _ in range(ALONE))
        seconds: dict[int, list[float]] = {1: [alone]}
        for n in BATCHES * BATCH_ROUNDS:
            if time.monotonic() + alone + n * self.pace < until:
                both = self.trial.read_at_once(n) + self.trial.read_at_once(1)
                seconds.setdefault(n, []).append(both - alone)
        if len(seconds) > 1:
            costs = ((n, max(1.0, _middle(taken) / alone)) for n, taken in sorted(seconds.items()))
            self.loaded.costs.saw_batches(BatchCosts(tuple(costs)), threads)

    def _go_deep(self, threads: Threads, depth: int) -> None:
        """Read and decode behind copies of what was read, on as many cells as there are."""
        room = SHORT + 2 * DECODED
        reached = min(depth, self.trial.capacity - room)
        self.trial.deepen(reached, time.monotonic() + self._left() * 0.3)
        behind = self.trial.depth
        tokens = self._tokens(SHORT, behind, share=0.6)
        self._read(tokens, threads.prefill)
        self._decode(threads.decode, 0.9)
        self.deepest = behind

    def _read(self, tokens: int, threads: int) -> float:
        depth = self.trial.depth
        seconds = self.trial.read(tokens)
        if not depth:
            self.pace = seconds / tokens
        self.loaded.costs.saw_read(tokens, depth, seconds, threads)
        return seconds

    def _decode(self, threads: int, share: float) -> float:
        """Seconds a token takes to decode."""
        depth, first = self.trial.depth, self.trial.decode(1)
        fitting = int(self._left() * share / (DOUBT * first))
        more = max(1, min(DECODED, fitting))
        seconds = self.trial.decode(more)
        self.loaded.costs.saw_decoded(more, depth + 1, seconds, threads)
        return seconds / more

    def _tokens(self, wanted: int, depth: int, *, share: float) -> int:
        """As many tokens as can be read behind a depth in a share of the time that is left."""
        each = self.pace * (1 + cell_ratio(self.loaded.header) * depth) * DOUBT
        return max(LEAST, min(wanted, int(self._left() * share / each)))

    def _left(self) -> float:
        """Seconds that are left; there are none where the time is over."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise InterruptedTrialError
        return left


def _middle(values: list[float]) -> float:
    """Of an even number of values the lower one in the middle."""
    return sorted(values)[(len(values) - 1) // 2]
