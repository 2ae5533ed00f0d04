"""Seconds over something that grows, as lines of text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from ctxchat.display import amounts
from ctxchat.domain.cost import CostCurve

Points = Sequence[tuple[float, float]]
"""Each so far across, and seconds."""

COLUMNS, ROWS = 60, 16
TICKS = 4

BLUE, ORANGE, GREEN, GREY = "#2166ac", "#d95f02", "#1b7a4b", "#6b6b6b"


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one kind: `glyph` in a terminal, `colour` in an image, where a `line` may join them, and
    `dots` may mark them. `ended` says why it goes no further, None where it goes to the end."""

    name: str
    points: Points
    glyph: str
    colour: str
    line: bool = True
    dots: bool = True
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn: an earlier series covers a later one. `unit` is what is counted across."""

    title: str
    unit: str
    series: tuple[Series, ...]

    @property
    def points(self) -> list[tuple[float, float]]:
        return [point for series in self.series for point in series.points]


def cost_plot(points: Points, curve: CostCurve | None, title: str) -> Plot:
    """Prompts that were measured, and the curve that was fitted through them; nothing without points."""
    most = max((n for n, _ in points), default=0)
    steps = [round(most * step / COLUMNS) for step in range(COLUMNS + 1)] if curve and points else []
    fitted = [(n, curve.prefill(n)) for n in steps] if curve else []
    return Plot(
        f"{title}: seconds to read a prompt",
        "tokens",
        (
            Series("measured", points, "●", ORANGE, line=False),
            Series("fitted", fitted, "·", BLUE, dots=False),
        ),
    )


def drawn(plot: Plot) -> list[str]:
    """The plot as lines of text of at most 80 columns, none without points."""
    if not plot.points:
        return []
    most, step = ranges(plot)
    height = step * TICKS
    grid = [[" "] * (COLUMNS + 1) for _ in range(ROWS + 1)]
    for series in reversed(plot.series):
        for across, seconds in series.points:
            row = ROWS - round(ROWS * min(seconds / height, 1))
            grid[row][min(COLUMNS, round(COLUMNS * across / most))] = series.glyph
    labels = {ROWS - round(ROWS * tick / TICKS): tick_label(step * tick, step) for tick in range(TICKS + 1)}
    width = max(map(len, labels.values()))
    lines = [
        f"{labels.get(at, ''):>{width}} {'┤' if at in labels else '│'}{''.join(row)}".rstrip()
        for at, row in enumerate(grid)
    ]
    margin = " " * width
    scale = [" "] * (COLUMNS + 1)
    for across in ticks_across(most):
        said = f"{across:,}"
        at = max(0, round(COLUMNS * across / most) - len(said) // 2)
        scale[at : at + len(said)] = said
    return [
        plot.title,
        *lines,
        f"{margin} └{'─' * (COLUMNS + 1)}",
        f"{margin}  {''.join(scale)} {plot.unit}",
        *_legend(plot),
    ]


def _legend(plot: Plot) -> Iterator[str]:
    shown = [series for series in plot.series if series.points]
    yield "   ".join(f"{series.glyph} {series.name}" for series in shown)
    yield from (f"{series.glyph} {series.ended}" for series in shown if series.ended)


def ranges(plot: Plot) -> tuple[float, float]:
    """How far it goes across, and the round seconds between two ticks of the height."""
    points = plot.points or [(1.0, 1.0)]
    step = _round_step(max(seconds for _, seconds in points) / TICKS)
    return max((1.0, *(across for across, _ in points))), step


def ticks_across(most: float) -> list[int]:
    """Quarters of the way across where they are whole, else round numbers."""
    step = int(most) // TICKS if most % TICKS == 0 else _round_step(most / (TICKS + 1))
    return list(range(0, int(most) + 1, max(1, int(step))))


def _round_step(least: float) -> float:
    """The least round number that is not below another: 1, 2, 2.5 or 5, ten times so, and so on."""
    power = 10.0 ** floor(log10(least)) if least > 0 else 1.0
    return next((m * power for m in (1, 2, 2.5, 5, 10) if m * power >= least), 10 * power)


def tick_label(seconds: float, step: float) -> str:
    """Seconds with as many digits as tell two ticks apart."""
    if seconds and step >= 60:
        return amounts.seconds(seconds)
    digits = max(0, 1 - floor(log10(step)))
    return f"{seconds:.{digits}f}".rstrip("0").rstrip(".") + " s" if digits else f"{seconds:.0f} s"
