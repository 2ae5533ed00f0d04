"""Finding what work costs while nobody waits."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import CtxChatError
from ctxchat.domain.events import Calibrating
from ctxchat.domain.measurement import CALIBRATION_SECONDS
from ctxchat.domain.ports import Clock, Model

AGAIN = 1800.0
"""Seconds between two of them: what one could not tell the next cannot either."""


@dataclass
class IdleCalibration:
    """Calibrates a model where what is known of its costs is stale."""

    clock: Clock
    _ended: float | None = field(default=None, init=False)

    def run(self, model: Model, cancel: Cancel) -> Iterator[Calibrating]:
        """Takes ten seconds at most, and ends at once where it is cancelled. Where it fails, for want of
        memory for its cells, the turns themselves teach what they cost."""
        if cancel.requested or model.costs is None or self._is_recent() or not model.costs.is_stale():
            return
        yield Calibrating(CALIBRATION_SECONDS)
        with suppress(CtxChatError):
            for _ in model.calibrate(cancel, CALIBRATION_SECONDS):
                pass
        if not cancel.requested:
            self._ended = self.clock.seconds()

    def _is_recent(self) -> bool:
        return self._ended is not None and self.clock.seconds() - self._ended < AGAIN
