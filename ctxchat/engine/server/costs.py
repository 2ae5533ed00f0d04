"""What a server takes, learned from the turns themselves: nothing is sent to it to find out."""

import time
from hashlib import blake2b
from pathlib import Path

from ctxchat.domain.cost import CostCurve
from ctxchat.engine.cost_curve import Observation, Phase, fitted, tells
from ctxchat.engine.cost_record import Known, Phases, change, read
from ctxchat.locations import cache_folder

CELL_RATIO = 3e-5
"""What attending to a cell is presumed to cost against reading a token, as with 8e9 parameters."""

ENOUGH_READ, ENOUGH_DECODED = 64, 8
"""Tokens that must have been seen before anything is foretold."""

ALL = 0
"""A server has no number of threads that is known here."""


class ServerCosts:
    """The costs of one model at one url; see `domain.costs.Costs`."""

    def __init__(self, url: str, model: str) -> None:
        self._url, self._model = url, model
        self._known: Known | None = None
        self._read: list[Observation] = []
        self._decoded: list[Observation] = []

    def curve(self, type_k: str | None = None) -> CostCurve | None:  # noqa: ARG002 - of the port
        known = self._knowledge()
        prefill, decode = known.prefill.get(ALL), known.decode.get(ALL)
        if not tells(prefill, ENOUGH_READ) or not tells(decode, ENOUGH_DECODED):
            return None
        assert prefill
        assert decode
        reading, writing = prefill.now(time.time()), decode.now(time.time())
        return CostCurve(reading.once, reading.token, reading.cell, writing.token, writing.cell)

    def restoring(self, tokens: int) -> None:  # noqa: ARG002 - of the port
        return None

    def batches(self) -> None:
        """Not measured: it would be work that nobody asked the server for."""

    def is_stale(self) -> bool:
        """A calibration would be work that nobody asked the server for."""
        return False

    def learn(self) -> None:
        if not self._read and not self._decoded:
            return
        reads, decodes = tuple(self._read), tuple(self._decoded)
        self._read.clear()
        self._decoded.clear()

        def learned(known: Known) -> Known:
            return Known(_with(known.prefill, reads, once=True), _with(known.decode, decodes, once=False))

        self._known = change(self._record(), learned)

    def saw_read(self, n: int, depth: int, seconds: float) -> None:
        """Note that the first token came so many seconds after a prompt was sent, of which the server had
        `depth` tokens cached and `n` not."""
        if n > 0 and seconds > 0:
            self._read.append(Observation(n, depth, seconds, time.time()))

    def saw_decoded(self, n: int, depth: int, seconds: float) -> None:
        """Note that `n` more tokens behind `depth` came in so many seconds."""
        if n > 0 and seconds > 0:
            self._decoded.append(Observation(n, depth, seconds, time.time()))

    def _knowledge(self) -> Known:
        if self._known is None:
            self._known = read(self._record())
        return self._known

    def _record(self) -> Path:
        seen = f"server {self._url} {self._model}"
        digest = blake2b(seen.encode("utf-8", "replace"), digest_size=16)
        return cache_folder() / "costs" / f"{digest.hexdigest()}.json"


def _with(phases: Phases, seen: tuple[Observation, ...], *, once: bool) -> Phases:
    before: Phase | None = phases.get(ALL)
    phase = fitted((*(before.seen if before else ()), *seen), ratio=CELL_RATIO, once=once)
    return {ALL: phase} if phase else phases
