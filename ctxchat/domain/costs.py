"""What the service needs to know of costs, as a protocol."""

from typing import Protocol

from ctxchat.domain.cost import CostCurve
from ctxchat.domain.speculation import BatchCosts


class Costs(Protocol):
    """What work costs with a model on this machine, learned from what it has cost."""

    def curve(self, type_k: str | None = None) -> CostCurve | None:
        """The curve as the machine is now, with keys of another type where one is named. None until
        enough is known."""

    def restoring(self, tokens: int) -> float | None:
        """Seconds to bring the cells of so many tokens back from disk, None until that is known."""

    def batches(self) -> BatchCosts | None:
        """What evaluating several tokens at once costs, None until a calibration has measured it."""

    def is_stale(self) -> bool:
        """Whether a calibration would tell more than is known: nothing is, or the machine's load has changed
        since."""

    def learn(self) -> None:
        """Take in what was seen since, and keep it for other processes. Takes milliseconds, which no
        turn should wait for; where it cannot be kept, it is known to this process alone."""
