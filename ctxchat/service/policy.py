"""What the settings say of the window: how much of it is used, and what gives way."""

from dataclasses import dataclass, replace

from ctxchat.context.budget import Budget, budget_for
from ctxchat.domain.window import Window


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """`window` and `budget` are tokens, None for the default: the smaller of the trained window and
    8,192, and all of it but the reserve. Shares of what may be used: past `compact_at` the oldest
    turns are folded down to `compact_to`. Where `folds` is False nothing is, and a prompt that does
    not fit is refused."""

    window: int | None = None
    budget: int | None = None
    compact_at: float = 0.8
    compact_to: float = 0.45
    folds: bool = True

    def budget_of(self, window: Window) -> Budget:
        usable = window.size - window.reserve
        if self.budget is not None:
            usable = min(usable, self.budget)
        return budget_for(usable, compact_at=self.compact_at, compact_to=self.compact_to)

    def stretched(self, by: float, window: Window) -> "WindowPolicy":
        """The policy where every token that is counted here was found to be so many at the server."""
        if by <= 1:
            return self
        usable = int((window.size - window.reserve) / by)
        return replace(self, budget=usable if self.budget is None else min(self.budget, usable))


DEFAULT_POLICY = WindowPolicy()
