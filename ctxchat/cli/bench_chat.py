"""A conversation that is measured as it runs on stderr, and its table, plot or JSON on stdout."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict

from ctxchat.cli.bench import BenchChatFlags
from ctxchat.cli.failures import INTERRUPTED, say
from ctxchat.cli.interrupts import cancelled_by_interrupt
from ctxchat.cli.measured import followed, write_image
from ctxchat.cli.receipt import Json
from ctxchat.cli.setting_flags import settings_typed
from ctxchat.cli.tables import print_table
from ctxchat.display import amounts
from ctxchat.display.plots import BLUE, GREEN, ORANGE, Plot, Series, drawn
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import PromptTooLargeError
from ctxchat.domain.events import ModelLoading, Warned
from ctxchat.service.bench_chat import Step
from ctxchat.service.bench_left import Left
from ctxchat.service.bench_ways import ORDER, ChatReport, Held, Way, WayReport
from ctxchat.service.json_text import json_text
from ctxchat.settings.load import load_settings

_HEADER = ("", "TURNS", "FIRST TOKEN", "SLOWEST", "TOKENS READ", "PEAK CELLS", "EVIDENCE")
NAMES = {Way.FULL: "full history", Way.LAST: "last turns", Way.MANAGED: "managed"}
_LOOKS = {Way.FULL: ("×", ORANGE), Way.LAST: ("+", BLUE), Way.MANAGED: ("●", GREEN)}


def show_bench_chat(flags: BenchChatFlags) -> int:
    """Hold the conversation and show what it took; returns the exit code. Raises CtxChatError where the
    model cannot be run."""
    from ctxchat.service.wiring.bench_chat import chat_bench

    cancel, report = Cancel(), None
    bench = chat_bench(
        load_settings(settings_typed(flags)), turns=flags.turns, last=flags.last, quick=flags.quick
    )
    progress = _Progress(bench.window, bench.turns)
    with cancelled_by_interrupt(cancel):
        for step in followed(bench.run(cancel), progress.line, quiet=flags.quiet):
            report = step if isinstance(step, ChatReport) else report
            if isinstance(step, Warned):
                say(step.message)
    if report and any(way.turns for way in report.ways):
        _show(flags, report)
    elif report and any(way.full for way in report.ways):
        raise PromptTooLargeError(f"no turn fits a window of {report.window:,} tokens: --ctx-size sets it")
    else:
        say("nothing was measured: it was stopped too early")
    return INTERRUPTED if cancel.requested else 0


def report_json(report: ChatReport) -> Json:
    """The object of `bench chat --json`."""
    return {
        "model": {"name": report.model, "path": report.path},
        "window": report.window,
        "turns": report.turns,
        "ways": [_way_json(way) for way in report.ways],
    }


def _way_json(way: WayReport) -> Json:
    return {
        "way": way.way.value,
        "turns": [asdict(turn) for turn in way.turns],
        "window_full": way.full,
        "first_token": {"median": way.median, "slowest": way.slowest},
        "evaluated": way.evaluated,
        "upkeep": way.upkeep,
        "peak_cells": way.peak_cells,
        "evidence": {"kept": way.kept, "asked": way.asked},
    }


def _show(flags: BenchChatFlags, report: ChatReport) -> None:
    plot = plot_of(report)
    if flags.svg:
        write_image(flags.svg, plot)
    if flags.json:
        sys.stdout.write(json_text(report_json(report), indent=2) + "\n")
        return
    print_table(_HEADER, [_row(way) for way in report.ways])
    print()
    for line in (*drawn(plot), "", *_words(report, flags.last)):
        print(line)


def plot_of(report: ChatReport) -> Plot:
    """Seconds to the first token by turn, each way a series."""
    series = [_series(way) for way in report.ways]
    title = f"{report.model or 'no model'}, window {report.window:,}: seconds to the first token"
    return Plot(title, "turns", tuple(series))


def _series(way: WayReport) -> Series:
    glyph, colour = _LOOKS[way.way]
    points = [(float(t.number), t.first_token) for t in way.turns if t.first_token is not None]
    name = NAMES[way.way]
    ended = f"{name} ends with turn {len(way.turns)}: the window is full" if way.full else None
    return Series(name, points, glyph, colour, ended=ended)


def _row(way: WayReport) -> tuple[str, ...]:
    return (
        NAMES[way.way],
        f"{len(way.turns)}, full" if way.full else f"{len(way.turns)}",
        amounts.seconds(way.median),
        amounts.seconds(way.slowest),
        f"{way.evaluated:,}",
        f"{way.peak_cells:,}",
        f"{way.kept} of {way.asked}",
    )


def _words(report: ChatReport, last: int | None) -> Iterator[str]:
    yield f"last turns: the oldest are dropped, {f'all but {last}' if last else 'as many as must be'}"
    yield "first token: the median of all turns · evidence: what a question asks about"
    yield "stands in the prompt, word for word; questions that were never reached count"
    for way in report.ways:
        if way.upkeep:
            yield f"of the tokens {NAMES[way.way]} read, {way.upkeep:,} were read behind answers"


class _Progress:
    """Which way is held, how far it has come, and the time that is left, by how it went so far."""

    def __init__(self, window: int, turns: int) -> None:
        self._window, self._turns = window, turns
        self._began = 0.0
        self._held: dict[Way, WayReport] = {}

    def line(self, step: Step) -> str | None:
        """What is said at a step; None where nothing new is."""
        match step:
            case ModelLoading(done, total):
                return f"loading the model {amounts.percent(done, total)}"
            case Held(report):
                return self._after(report)
            case ChatReport() | Warned():
                return None

    def _after(self, report: WayReport) -> str:
        if not self._held:
            self._began = time.monotonic()
        self._held[report.way] = report
        at = list(ORDER).index(report.way) + 1
        said = f"{at} of {len(ORDER)} · {NAMES[report.way]} · turn {len(report.turns)} of {self._turns}"
        left = Left(self._window, self._turns, self._held, time.monotonic() - self._began).seconds
        return said if left is None else f"{said} · {amounts.seconds(left)} left"
