"""What a model costs as it is run here: learned from its work, and how many threads do it best."""

import platform
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from math import log
from pathlib import Path

from ctxchat.domain.cost import CostCurve
from ctxchat.domain.speculation import BatchCosts
from ctxchat.engine.cost_curve import LOAD_SECONDS, Observation, fitted, tells
from ctxchat.engine.cost_record import Known, Phases, change, read
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.libraries import llama_libraries
from ctxchat.engine.llama.machine import usable_cores
from ctxchat.engine.llama.options import EngineOptions, ResolvedOptions
from ctxchat.engine.llama.threads import Threads
from ctxchat.locations import cache_folder

ENOUGH_READ, ENOUGH_DECODED = 64, 8
"""Tokens that must have been seen before anything is foretold."""

INTERRUPTION, LEAST_SLICE = 0.2, 32
"""Seconds after which an interruption is heard, and the tokens that are worth reading at once."""

NO_DEPTH = 1e-9
"""Restoring costs a token the same at any depth: what a cell before it is presumed to add."""

RESTORING_BELIEVED = 3600.0
"""Seconds for which it is believed that restoring takes longer than reading."""

TYPICAL_READ = 128
OTHER_LOAD = log(1.5)
"""By so much slower or quicker the machine has another load."""

GAIN = 0.9
"""Another number of threads is taken where it needs at most this share of the time."""


class LlamaCosts:
    """The costs of one model under its options; see `domain.costs.Costs`.

    `threads` are those to work with now. What is observed comes from the worker's thread, and is
    fitted and kept by `learn`.
    """

    def __init__(self, header: GgufHeader, options: EngineOptions, resolved: ResolvedOptions) -> None:
        self.threads = resolved.threads
        self._header = header
        self._options = options
        self._resolved = resolved
        self._known: Known | None = None
        self._read: dict[int, list[Observation]] = defaultdict(list)
        self._decoded: dict[int, list[Observation]] = defaultdict(list)
        self._restored: list[Observation] = []
        self._batches: dict[tuple[int, int], BatchCosts] = {}

    def curve(self, type_k: str | None = None) -> CostCurve | None:
        other = type_k not in (None, self._options.type_k)
        known = read(self._record(str(type_k))) if other else self._knowledge()
        prefill, decode = known.prefill.get(self.threads.prefill), known.decode.get(self.threads.decode)
        if not tells(prefill, ENOUGH_READ) or not tells(decode, ENOUGH_DECODED):
            return None
        assert prefill
        assert decode
        reading, writing = prefill.now(time.time()), decode.now(time.time())
        return CostCurve(reading.once, reading.token, reading.cell, writing.token, writing.cell)

    def carrying(self) -> float:
        """What a cell that is not seen adds to each token, as a share of what the token costs."""
        if self._resolved.skips_unseen:
            return 0.0
        curve = self.curve()
        return curve.b / curve.a if curve and curve.a and curve.b else cell_ratio(self._header)

    def batches(self) -> BatchCosts | None:
        return self._knowledge().batches.get((self.threads.prefill, self.threads.decode))

    def restoring(self, tokens: int) -> float | None:
        phase = self._knowledge().restore
        return phase.now(time.time()).seconds(tokens, 0) if phase else None

    def is_stale(self) -> bool:
        if self.curve() is None:
            return True
        known, options, now = self._knowledge(), self._options, self.threads
        return _is_stale(known.prefill, now.prefill, free=options.threads_batch is None) or _is_stale(
            known.decode, now.decode, free=options.threads is None
        )

    def learn(self) -> None:
        if not (self._read or self._decoded or self._restored or self._batches):
            return
        reads, decodes, restores = dict(self._read), dict(self._decoded), tuple(self._restored)
        batches = dict(self._batches)
        self._read.clear()
        self._decoded.clear()
        self._restored.clear()
        self._batches.clear()

        def learned(known: Known) -> Known:
            before = known.restore.seen if known.restore else ()
            return Known(
                self._with(known.prefill, reads, once=True),
                self._with(known.decode, decodes),
                fitted((*before, *restores), ratio=NO_DEPTH, once=True),
                {**known.batches, **batches},
            )

        self._known = change(self._record(self._options.type_k), learned)
        self._choose_threads()

    # What follows is for the worker's thread.

    def saw_read(self, n: int, depth: int, seconds: float, threads: int | None = None) -> None:
        """Note that reading `n` tokens behind `depth` cells took so many seconds."""
        if n > 0 and seconds > 0:
            seen = Observation(n, depth, seconds, time.time())
            self._read[threads or self.threads.prefill].append(seen)

    def saw_decoded(self, n: int, depth: int, seconds: float, threads: int | None = None) -> None:
        """Note that decoding `n` tokens, the first behind `depth` cells, took so many seconds."""
        if n > 0 and seconds > 0:
            seen = Observation(n, depth, seconds, time.time())
            self._decoded[threads or self.threads.decode].append(seen)

    def saw_restored(self, n: int, seconds: float) -> None:
        """Note that bringing `n` tokens back from disk took so many seconds."""
        if n > 0 and seconds > 0:
            self._restored.append(Observation(n, 0, seconds, time.time()))

    def saw_batches(self, costs: BatchCosts, threads: Threads) -> None:
        """Note what evaluating several tokens at once costs."""
        self._batches[threads.prefill, threads.decode] = costs

    def is_read_sooner(self, begin: int, end: int, restored: int) -> bool:
        """Whether the tokens from `begin` to `end` are read sooner than `restored` come back from disk. What
        restoring took long ago is not held against it: unless it is tried, nothing new is learned."""
        curve, restoring = self.curve(), self._knowledge().restore
        now = time.time()
        if curve is None or restoring is None or now - restoring.seen[-1].at > RESTORING_BELIEVED:
            return False
        return curve.prefill(end - begin, begin) - curve.k < restoring.now(now).seconds(restored, 0)

    def slice(self, most: int, depth: int) -> int:
        """Tokens to read at once. A GPU hears an interruption only between two computations: they are whole
        where one takes no longer than that may, and none is cut where layers stay on the CPU: those hear it,
        and each computation pays for their weights to be brought to the GPU, however few its tokens."""
        if not self._resolved.offloaded:
            return most
        unit, curve = self._resolved.ubatch_size, self.curve()
        if curve is None or 0 < self._resolved.n_gpu_layers <= self._header.layers:
            return min(most, unit)
        readable = curve.readable(INTERRUPTION, depth)
        unit = unit if readable >= unit else LEAST_SLICE
        return min(most, max(LEAST_SLICE, readable // unit * unit))

    def _knowledge(self) -> Known:
        if self._known is None:
            self._known = read(self._record(self._options.type_k))
            self._choose_threads()
        return self._known

    def _choose_threads(self) -> None:
        """Take the numbers of threads that are quickest now, of those that were measured and are not set."""
        assert self._known
        known, options, now = self._known, self._options, self.threads
        if options.threads_batch is None:
            now = replace(now, prefill=_quickest(known.prefill, now.prefill, TYPICAL_READ, ENOUGH_READ))
        if options.threads is None:
            now = replace(now, decode=_quickest(known.decode, now.decode, 1, ENOUGH_DECODED))
        self.threads = Threads(now.prefill, now.decode)

    def _with(self, phases: Phases, seen: Mapping[int, list[Observation]], *, once: bool = False) -> Phases:
        ratio = cell_ratio(self._header)
        learned = dict(phases)
        for threads, observations in seen.items():
            before = phases[threads].seen if threads in phases else ()
            phase = fitted((*before, *observations), ratio=ratio, once=once)
            if phase:
                learned[threads] = phase
        return learned

    def _record(self, type_k: str) -> Path:
        """Named by all that changes what work costs, but the threads."""
        options, resolved = self._options, self._resolved
        seen = (
            self._header.fingerprint(),
            (type_k, options.type_v, resolved.flash_attn, resolved.batch_size, resolved.ubatch_size),
            (resolved.n_gpu_layers, options.split_mode, options.tensor_split, options.main_gpu),
            (options.offload_kv, platform.node(), platform.machine(), usable_cores()),
            llama_libraries(),
        )
        digest = blake2b(repr(seen).encode("utf-8", "replace"), digest_size=16)
        return cache_folder() / "costs" / f"{digest.hexdigest()}.json"


def cell_ratio(header: GgufHeader) -> float:
    """What attending to a cell is presumed to cost against evaluating a token: their multiplications."""
    width = header.count("embedding_length") or 1
    return 2 * header.layers * width / max(header.parameters, 1)


def _is_stale(phases: Phases, now: int, *, free: bool) -> bool:
    """Whether nothing was seen of a phase for long, or the machine is busier or idler than it was when
    other numbers of threads were measured, where they are `free` to be chosen."""
    at, current = time.time(), phases[now]
    if at - current.seen[-1].at > LOAD_SECONDS:
        return True
    others = max((phase.seen[-1].at for threads, phase in phases.items() if threads != now), default=0.0)
    return free and usable_cores() > 1 and abs(current.load) > OTHER_LOAD and at - others > LOAD_SECONDS


def _quickest(phases: Phases, now: int, n: int, enough: int) -> int:
    """The number of threads to go on with, of those that enough is known of: `now` where nothing is, or
    no other is much better."""
    at = time.time()
    seconds = {t: phase.now(at).seconds(n, 0) for t, phase in phases.items() if tells(phase, enough)}
    if not seconds:
        return now
    best = min(seconds, key=lambda threads: seconds[threads])
    return now if now in seconds and seconds[best] > GAIN * seconds[now] else best
