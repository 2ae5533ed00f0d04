"""How far a turn has come, as one line of meters."""

from collections.abc import Callable

from ctxchat.display import amounts
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.events import (
    Calibrating,
    Compacted,
    Compacting,
    CostPredicted,
    Filtered,
    ModelLoading,
    NotesFound,
    Prefilled,
    PromptBuilt,
    ReasoningGenerated,
    Restored,
    Saving,
    Settling,
    TextGenerated,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.domain.receipt import KvCost


class Meters:
    """What the status line says, from the events seen so far. The rate of decoding is of texts
    that came, nearly one a token: the receipt has the exact one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.line = ""
        self._clock = clock
        self._kv: KvCost | None = None
        self._curve: CostCurve | None = None
        self._ahead = 0
        self._prefill_began = 0.0
        self._decode_began = 0.0
        self._decoded = 0

    def show(self, event: TurnEvent) -> None:
        match event:
            case ModelLoading(done, total):
                self.line = f"loading the model {amounts.percent(done, total)}"
            case Compacting(turns, before):
                self.line = f"folding the oldest {turns:,} turns, {before:,} tokens, into a summary"
            case CostPredicted(kv, _, curve, ahead):
                self._kv, self._curve, self._ahead = kv, curve, ahead
            case Prefilled(done, total):
                self._prefilled(done, total)
            case ReasoningGenerated() | TextGenerated():
                self._generated("answering" if isinstance(event, TextGenerated) else "reasoning")
            case PromptBuilt(prompt):
                self.line = f"prompt of {prompt.total:,} tokens"
            case NotesFound(notes):
                self.line = f"notes and old turns recalled: {len(notes):,}"
            case Settling() | Calibrating():
                self.line = _between_turns(event)
            case Filtered() | Compacted() | Restored() | Saving() | Warned() | TurnFinished():
                pass

    def _prefilled(self, done: int, total: int) -> None:
        now = self._clock()
        if done == 0:
            self._prefill_began = now
        self._decode_began = now
        parts = [f"reading {done:,} of {total:,} tokens", amounts.percent(done, total)]
        seconds, timed = now - self._prefill_began, done - self._ahead
        if timed > 0 and seconds > 0:
            if done < total:
                depth = self._kv.reused + self._ahead if self._kv else 0
                left = seconds_left(self._curve, depth, timed, total - self._ahead, seconds)
                parts.append(f"{amounts.seconds(left)} left")
            parts.append(amounts.rate(timed / seconds))
        self.line = " · ".join([*parts, *self._cells(done - total)])

    def _generated(self, what: str) -> None:
        self._decoded += 1
        seconds = self._clock() - self._decode_began
        rate = amounts.rate(self._decoded / seconds if seconds > 0 else None)
        self.line = " · ".join([what, f"{self._decoded:,} tokens", rate, *self._cells(self._decoded)])

    def _cells(self, beyond_prompt: int) -> list[str]:
        if self._kv is None:
            return []
        cells = self._kv.cells + beyond_prompt
        return [f"KV {cells:,} cells {amounts.size(self._kv.size(cells))}"]


def _between_turns(event: Settling | Calibrating) -> str:
    if isinstance(event, Settling):
        return f"reading ahead for the next question {amounts.percent(event.done, event.total)}"
    return f"measuring what work costs here, for {event.seconds:.0f} s at the most"


def seconds_left(curve: CostCurve | None, depth: int, done: int, total: int, seconds: float) -> float:
    """Seconds that reading takes until all is read behind `depth` cells, where `done` took `seconds`: as
    the curve says, corrected by what the beginning took."""
    if curve is None:
        return (total - done) * seconds / done
    foretold, rest = curve.prefill(done, depth), curve.left(done, total, depth)
    return rest * seconds / foretold if foretold > 0 else rest
