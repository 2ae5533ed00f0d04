"""A plot as an image."""

from collections.abc import Iterator
from html import escape

from ctxchat.display import amounts
from ctxchat.display.plots import TICKS, Plot, Series, ranges, tick_label, ticks_across

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 32, 64, 56


def svg(plot: Plot) -> str:
    """The plot as an SVG image."""
    most, step = ranges(plot)
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 24, plot.title, "start", size=15),
    ]
    parts += [*_axes(plot, most, step), *_named(plot)]
    for series in reversed(plot.series):
        parts += _shapes(series, plot.unit, most, step)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes(plot: Plot, most: float, step: float) -> Iterator[str]:
    for tick in range(TICKS + 1):
        _, y = _place(0, step * tick, most, step)
        yield _line(LEFT, y, WIDTH - RIGHT, y, "#dddddd" if tick else "#222222")
        yield _text(LEFT - 8, y + 4, tick_label(step * tick, step), "end")
    for across in ticks_across(most):
        x, y = _place(across, 0, most, step)
        yield _line(x, y, x, y + 5, "#222222")
        yield _text(x, y + 20, f"{across:,}", "middle")
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, plot.unit, "middle")


def _named(plot: Plot) -> Iterator[str]:
    x = float(LEFT)
    for series in plot.series:
        if series.points:
            yield f'<circle cx="{x + 5:.1f}" cy="44" r="5" fill="{series.colour}"/>'
            yield _text(x + 16, 48, series.name, "start")
            x += 40 + 7.2 * len(series.name)


def _shapes(series: Series, unit: str, most: float, step: float) -> Iterator[str]:
    places = [_place(across, seconds, most, step) for across, seconds in series.points]
    if series.line and places:
        steps = " L ".join(f"{x} {y}" for x, y in places)
        yield f'<path d="M {steps}" fill="none" stroke="{series.colour}" stroke-width="2"/>'
    for (x, y), (across, seconds) in zip(places, series.points, strict=True):
        if series.dots:
            said = escape(f"{series.name}, {across:,.0f} {unit}: {amounts.seconds(seconds)}")
            yield f'<circle cx="{x}" cy="{y}" r="3.5" fill="{series.colour}"><title>{said}</title></circle>'
    if series.ended and places:
        x, y = places[-1]
        yield _line(x, TOP, x, HEIGHT - BOTTOM, series.colour, dashed=True)
        anchor, shift = ("start", 6) if x + 7.5 * len(series.ended) < WIDTH else ("end", -6)
        yield _text(x + shift, TOP + 14, series.ended, anchor, colour=series.colour)


def _place(across: float, seconds: float, most: float, step: float) -> tuple[float, float]:
    x = LEFT + (WIDTH - LEFT - RIGHT) * across / most
    y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * seconds / (step * TICKS)
    return round(x, 1), round(y, 1)


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}" stroke="{colour}"{dashes}/>'


def _text(
    x: float, y: float, said: str, anchor: str, *, size: int | None = None, colour: str | None = None
) -> str:
    style = f' font-size="{size}"' if size else ""
    style += f' fill="{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(said)}</text>'
