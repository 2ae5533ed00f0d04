"""What a process has spent at servers."""

from collections.abc import Iterable

from ctxchat.domain.events import Usage
from ctxchat.domain.prices import Prices
from ctxchat.domain.receipt import Money


class Spending:
    """Adds up what requests cost; another currency begins anew."""

    def __init__(self) -> None:
        self.total: Money | None = None

    def add(self, prices: Prices | None, usages: Iterable[Usage | None]) -> None:
        """Take in what a server says that requests took. One it said nothing of counts as nothing."""
        if prices is None:
            return
        costs = [cost for usage in usages if usage and (cost := prices.of(usage))]
        before = self.total
        spent = before.amount if before and before.currency == prices.currency else 0.0
        self.total = Money(spent + sum(cost.amount for cost in costs), prices.currency)
