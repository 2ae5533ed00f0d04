"""Costs that nobody measured."""

from ctxchat.domain.cost import CostCurve
from ctxchat.domain.speculation import BatchCosts


class WrittenCosts:
    """Costs that are written down; what is learned is only counted."""

    def __init__(self, curve: CostCurve | None, each_restored: float | None = None) -> None:
        self.now = curve
        self.each_restored = each_restored
        self.learned = 0
        self.stale = False

    def restoring(self, tokens: int) -> float | None:
        return None if self.each_restored is None else tokens * self.each_restored

    def curve(self, type_k: str | None = None) -> CostCurve | None:
        return self.now if type_k in (None, "f16") else None

    def batches(self) -> BatchCosts | None:
        return None

    def is_stale(self) -> bool:
        return self.stale

    def learn(self) -> None:
        self.learned += 1
