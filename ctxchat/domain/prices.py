"""What a server asks for tokens."""

from dataclasses import dataclass

from ctxchat.domain.events import Usage
from ctxchat.domain.receipt import Money

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """For a million tokens of a prompt, of an answer, and of what was `cached` of a prompt, which costs as
    much as the rest of it where it is None."""

    input: float
    output: float
    cached: float | None = None
    currency: str = "USD"

    def of(self, usage: Usage) -> Money | None:
        """What a request cost, None where the server did not say what it took."""
        if usage.prompt is None or usage.answer is None:
            return None
        return self.money(usage.prompt, usage.cached or 0, usage.answer)

    def money(self, prompt: int, cached: int = 0, answer: int = 0) -> Money:
        """What so many tokens cost, `cached` ones being of the prompt."""
        for_cached = self.input if self.cached is None else self.cached
        parts = ((prompt - cached) * self.input, cached * for_cached, answer * self.output)
        return Money(sum(parts) / _MILLION, self.currency)
