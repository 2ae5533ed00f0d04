"""The cost of context on this machine: measured, and fitted."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.cost import CostCurve, attention_pairs
from ctxchat.domain.events import ModelLoading, Warned
from ctxchat.domain.measurement import CALIBRATION_SECONDS, Calibration, Measured, Measuring
from ctxchat.domain.model import ModelFacts
from ctxchat.domain.ports import Model
from ctxchat.domain.speculation import BatchCosts

SMALLEST = 512

QUICK_SECONDS = 10.0
"""The longest prompt that is read for a quick look takes no longer, by the calibrated curve."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured: the processor, the cores that may be used, the devices layers lie on, and
    the threads that decode and that prefill."""

    name: str
    cores: int
    devices: tuple[str, ...]
    threads: int
    threads_batch: int


@dataclass(frozen=True, slots=True)
class Point:
    """A prompt of `n` tokens: seconds to read it, rates in tokens a second, the bytes of its cells, and
    the positions attended to. `save` and `restore` are the seconds of its snapshot, None where there
    is none."""

    n: int
    prefill: float
    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    kv_bytes: int
    attention_pairs: int | None
    save: float | None = None
    restore: float | None = None


@dataclass(frozen=True, slots=True)
class Calibrating:
    """A calibration has begun, which takes no longer than so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured of a model, the curve through it, how far the calibration reached, the sizes
    that were left out, and what evaluating several tokens at once costs, None where that is not known."""

    model: ModelFacts
    machine: Machine
    points: tuple[Point, ...]
    curve: CostCurve | None
    calibration: Calibration
    left_out: tuple[int, ...]
    batches: BatchCosts | None = None


Step = ModelLoading | Warned | Calibrating | CostCurve | Measuring | Point | Report
"""What a measurement gives as it goes; a curve comes with the calibration, to tell the time left."""


class MeasurableModel(Model, Protocol):
    """A model whose work can be timed here, in cells that are not the chat's."""

    def measure(self, sizes: Sequence[int], cancel: Cancel) -> Iterator[Measuring | Measured]:
        """Read a prompt and give what each of the rising `sizes` has taken, and learn it. Ends early
        where it was cancelled, or memory is short. Raises ModelError where there is none."""


class BenchService:
    """Measures one model. `open_model` raises ModelError where there is none, and `machine` is asked of
    the threads that read and that decode."""

    def __init__(
        self, open_model: Callable[[], MeasurableModel], machine: Callable[[int, int], Machine]
    ) -> None:
        self._open_model = open_model
        self._machine = machine

    def calibrate(self, cancel: Cancel) -> tuple[Calibration, CostCurve | None]:
        """Find what work costs in ten seconds, and keep it."""
        model = self._open_model()
        try:
            for _ in model.load(cancel):
                pass
            (calibration,) = model.calibrate(cancel, CALIBRATION_SECONDS)
            return calibration, model.costs.curve() if model.costs else None
        finally:
            model.close()

    def run(self, cancel: Cancel, *, quick: bool = False) -> Iterator[Step]:
        """Calibrate, then read a prompt as long as the window; with `quick`, one that takes seconds.
        Ends with a report, also where it was cancelled once the model was loaded."""
        model = self._open_model()
        try:
            yield from model.load(cancel)
            if not cancel.requested:
                yield from self._measured(model, cancel, quick=quick)
        finally:
            model.close()

    def _measured(self, model: MeasurableModel, cancel: Cancel, *, quick: bool) -> Iterator[Step]:
        yield Calibrating(CALIBRATION_SECONDS)
        (calibration,) = model.calibrate(cancel, CALIBRATION_SECONDS)
        curve = model.costs.curve() if model.costs else None
        batches = model.costs.batches() if model.costs else None
        if curve:
            yield curve
        every = sizes(calibration.window)
        chosen = _quick(every, curve) if quick else every
        points = yield from _points(model, chosen, cancel)
        measured = {point.n for point in points}
        yield Report(
            model=model.facts,
            machine=self._machine(*calibration.threads),
            points=points,
            curve=model.costs.curve() if model.costs else None,
            calibration=calibration,
            left_out=tuple(size for size in every if size not in measured),
            batches=batches,
        )


def sizes(window: int) -> tuple[int, ...]:
    """512 tokens, twice as many, and so on, as far as the window goes."""
    doubled = tuple(SMALLEST << step for step in range(40) if SMALLEST << step <= window)
    return doubled or (window,)


def _quick(every: tuple[int, ...], curve: CostCurve | None) -> tuple[int, ...]:
    """The sizes that take seconds, and always the first."""
    soon = tuple(size for size in every if curve and curve.prefill(size) <= QUICK_SECONDS)
    return soon or every[:1]


def _points(
    model: MeasurableModel, chosen: tuple[int, ...], cancel: Cancel
) -> Generator[Measuring | Point, None, tuple[Point, ...]]:
    points: list[Point] = []
    if cancel.requested:
        return ()
    for event in model.measure(chosen, cancel):
        if isinstance(event, Measured):
            points.append(_point(model, event))
            yield points[-1]
        else:
            yield event
    return tuple(points)


def _point(model: MeasurableModel, measured: Measured) -> Point:
    return Point(
        n=measured.n,
        prefill=measured.prefill,
        prefill_tokens_per_second=measured.n / measured.prefill,
        decode_tokens_per_second=1 / measured.decode,
        kv_bytes=measured.n * (model.cache.bytes_per_token if model.cache else 0),
        attention_pairs=attention_pairs(0, measured.n, model.facts.layers),
        save=measured.save,
        restore=measured.restore,
    )
