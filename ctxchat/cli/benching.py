"""A measurement as it runs on stderr, and its table, plot or JSON on stdout."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict

from ctxchat.cli.bench import BenchFlags
from ctxchat.cli.failures import INTERRUPTED, say
from ctxchat.cli.interrupts import cancelled_by_interrupt
from ctxchat.cli.measured import followed, write_image
from ctxchat.cli.receipt import Json
from ctxchat.cli.setting_flags import settings_typed
from ctxchat.cli.tables import print_table
from ctxchat.display import amounts
from ctxchat.display.plots import cost_plot, drawn
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.events import ModelLoading, Warned
from ctxchat.domain.measurement import Measuring
from ctxchat.domain.speculation import BatchCosts
from ctxchat.service.bench import Calibrating, Point, Report, Step
from ctxchat.service.json_text import json_text
from ctxchat.settings.load import load_settings

_HEADER = ("TOKENS", "PREFILL", "TOK/S", "CURVE", "DECODE", "KV", "PAIRS", "SAVE", "RESTORE")


def show_bench(flags: BenchFlags) -> int:
    """Measure and show it; returns the exit code. Raises CtxChatError where nothing can be measured."""
    from ctxchat.service import wiring

    cancel, report = Cancel(), None
    service = wiring.bench_service(load_settings(settings_typed(flags)))
    with cancelled_by_interrupt(cancel):
        progress = _Progress()
        for step in followed(service.run(cancel, quick=flags.quick), progress.line, quiet=flags.quiet):
            report = step if isinstance(step, Report) else report
            if isinstance(step, Warned):
                say(step.message)
    if progress.points == 0:
        say("nothing was measured: it was stopped too early, or there is no memory for the cells")
    if report:
        _show(flags, report)
    return INTERRUPTED if cancel.requested else 0


def report_json(report: Report) -> Json:
    """The object of `bench --json`."""
    return {
        "model": {"name": report.model.name, "path": report.model.path},
        "machine": asdict(report.machine),
        "points": [asdict(point) for point in report.points],
        "curve": asdict(report.curve) if report.curve else None,
        "speculation": _speculation_json(report.batches) if report.batches else None,
    }


def _speculation_json(costs: BatchCosts) -> Json:
    return {
        "batches": [{"n": n, "cost": cost} for n, cost in costs.measured],
        "best": costs.best,
        "pays": costs.pays,
        "pays_from": costs.least_share(),
    }


def _show(flags: BenchFlags, report: Report) -> None:
    measured = [(float(point.n), point.prefill) for point in report.points]
    plot = cost_plot(measured, report.curve, report.model.name)
    if flags.svg:
        write_image(flags.svg, plot)
    if flags.json:
        sys.stdout.write(json_text(report_json(report), indent=2) + "\n")
        return
    print_table(_HEADER, [_row(point, report.curve) for point in report.points])
    print()
    for line in (*drawn(plot), "", *_words(report)):
        print(line)


def _row(point: Point, curve: CostCurve | None) -> tuple[str, ...]:
    return (
        f"{point.n:,}",
        amounts.seconds(point.prefill),
        f"{point.prefill_tokens_per_second:,.0f}",
        f"{curve.prefill(point.n) / point.prefill - 1:+.0%}" if curve else amounts.DASH,
        f"{point.decode_tokens_per_second:,.1f}",
        amounts.size(point.kv_bytes),
        amounts.many(point.attention_pairs),
        amounts.seconds(point.save),
        amounts.seconds(point.restore),
    )


def _words(report: Report) -> Iterator[str]:
    machine, curve = report.machine, report.curve
    yield "tok/s: read · curve: how far it lies above or below what was measured"
    yield "decode: tokens a second behind so many · pairs: positions attended to"
    yield ""
    where = ", ".join(machine.devices) or machine.name
    yield f"{report.model.name} on {where}: {machine.threads_batch} threads read, {machine.threads} decode"
    if curve:
        yield f"n tokens behind d: {curve.k:.3g} s + n · ({curve.a:.3g} + {curve.b:.3g} · (d + n/2))"
        yield f"a decoded token behind d: {curve.c:.3g} s + {curve.e:.3g} · d"
    if report.batches:
        yield from _speculation_words(report.batches)
    seen, window = max([report.calibration.depth, *(p.n for p in report.points)]), report.calibration.window
    if seen < window:
        yield f"measured to {seen:,} cells; what lies between them and {window:,} is extrapolated"
    if report.left_out:
        yield f"not read whole: {', '.join(f'{size:,}' for size in report.left_out)} tokens"


def _speculation_words(costs: BatchCosts) -> Iterator[str]:
    several = ", ".join(f"{n} cost {cost:.2f}" for n, cost in costs.measured if n > 1)
    yield f"tokens evaluated at once, in tokens decoded alone: {several}"
    share, best = costs.least_share(), f"at best {costs.best:.2f} times as quick"
    if costs.pays and share is not None:
        yield f"drafts (--speculation) pay where {share:.0%} of them are right: {best}"
    else:
        yield f"drafts (--speculation) do not pay here, and are off: {best}"


class _Progress:
    """What a measurement is doing, and the time that is left, by the curve and how it went so far."""

    def __init__(self) -> None:
        self.points = 0
        self._curve: CostCurve | None = None
        self._began = 0.0

    def line(self, step: Step) -> str | None:
        """What is said at a step; None where nothing new is."""
        match step:
            case ModelLoading(done, total):
                return f"loading the model {amounts.percent(done, total)}"
            case Calibrating(seconds):
                return f"calibrating, for {seconds:.0f} s at the most"
            case CostCurve():
                self._curve = step
            case Measuring(done, total):
                return self._reading(done, total)
            case Point():
                self.points += 1
            case Report() | Warned():
                pass
        return None

    def _reading(self, done: int, total: int) -> str:
        if done == 0:
            self._began = time.monotonic()
        said = f"reading {done:,} of {total:,} tokens · {amounts.percent(done, total)}"
        if self._curve is None:
            return said
        foretold = self._curve.prefill(done)
        pace = (time.monotonic() - self._began) / foretold if foretold > 0 else 1.0
        return f"{said} · {amounts.seconds(self._curve.left(done, total) * pace)} left"
