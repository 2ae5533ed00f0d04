"""How long a conversation that is measured will still take, by how it went so far."""

from collections.abc import Mapping
from dataclasses import dataclass

from ctxchat.service.bench_ways import ORDER, TURN, Way, WayReport


@dataclass(frozen=True, slots=True)
class Left:
    """`held` are the ways that were begun, and `elapsed` the seconds they took."""

    window: int
    turns: int
    held: Mapping[Way, WayReport]
    elapsed: float

    @property
    def seconds(self) -> float | None:
        """None until a turn was answered."""
        if not self._answered:
            return None
        return sum(self._of(way) for way in ORDER)

    @property
    def _answered(self) -> int:
        return sum(len(report.turns) for report in self.held.values())

    @property
    def _fitting(self) -> int:
        """Turns before the window is full."""
        full = self.held.get(Way.FULL)
        return len(full.turns) if full and full.full else min(self.turns, self.window // TURN)

    def _of(self, way: Way) -> float:
        report = self.held.get(way)
        done = len(report.turns) if report else 0
        last = self._fitting if way is Way.FULL else self.turns
        if report and report.full:
            return 0.0
        sliding = max(0, last - max(done, self._fitting)) if way is Way.LAST else 0
        return (last - done - sliding) * self._turn + sliding * self._sliding

    @property
    def _turn(self) -> float:
        """A turn that reads little: the mean of those that did."""
        few = [report for way, report in self.held.items() if way is not Way.LAST and report.turns]
        turns = [turn for report in few for turn in report.turns]
        waited = sum(turn.first_token or 0.0 for turn in turns) / max(1, len(turns))
        return waited + self._answering

    @property
    def _sliding(self) -> float:
        """A turn that reads the window anew."""
        return self._answering + self.window * self._reading / max(1, self._read)

    @property
    def _answering(self) -> float:
        return (self.elapsed - self._reading) / self._answered

    @property
    def _reading(self) -> float:
        return sum(turn.first_token or 0.0 for report in self.held.values() for turn in report.turns)

    @property
    def _read(self) -> int:
        return sum(turn.evaluated for report in self.held.values() for turn in report.turns)
