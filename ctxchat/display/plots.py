"""Seconds over tokens: measured points, and the fitted curve through them."""

from collections.abc import Sequence
from html import escape

from ctxchat.display import amounts
from ctxchat.domain.cost import CostCurve

Points = Sequence[tuple[int, float]]
"""Tokens and seconds."""

COLUMNS, ROWS = 60, 14
WIDTH, HEIGHT, MARGIN = 640, 400, 60


def drawn(points: Points, curve: CostCurve | None) -> list[str]:
    """The plot as lines of text, none without points: `●` was measured, `·` is the curve."""
    if not points:
        return []
    most, longest = _ranges(points, curve)
    grid = [[" "] * (COLUMNS + 1) for _ in range(ROWS + 1)]
    if curve:
        for column in range(COLUMNS + 1):
            grid[_row(curve.prefill(round(most * column / COLUMNS)), longest)][column] = "·"
    for n, seconds in points:
        grid[_row(seconds, longest)][round(COLUMNS * n / most)] = "●"
    labels = {0: amounts.seconds(longest), ROWS // 2: amounts.seconds(longest / 2), ROWS: amounts.seconds(0)}
    width = max(map(len, labels.values()))
    lines = [f"{labels.get(at, ''):>{width}} │{''.join(row)}".rstrip() for at, row in enumerate(grid)]
    scale = f"{'0':<{COLUMNS // 2}}{most // 2:,}"
    axis = f"{' ' * width} └{'─' * (COLUMNS + 1)}"
    return [*lines, axis, f"{' ' * width}  {scale:<{COLUMNS - 6}}{most:>7,} tokens", "● measured · fitted"]


def svg(points: Points, curve: CostCurve | None, title: str) -> str:
    """The plot as an SVG image."""
    most, longest = _ranges(points, curve) if points else (1, 1.0)

    def place(n: float, seconds: float) -> tuple[float, float]:
        across = MARGIN + (WIDTH - 2 * MARGIN) * n / most
        return round(across, 1), round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * seconds / longest, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="{MARGIN // 2}">{escape(title)}: seconds to read a prompt</text>',
        _path([place(0, longest), place(0, 0), place(most, 0)], "black"),
    ]
    for share in (0.0, 0.5, 1.0):
        x, y = place(most * share, 0)
        parts.append(f'<text x="{x}" y="{y + 18}" text-anchor="middle">{round(most * share):,}</text>')
        x, y = place(0, longest * share)
        said = escape(amounts.seconds(longest * share))
        parts.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{said}</text>')
    if curve:
        steps = (round(most * step / COLUMNS) for step in range(COLUMNS + 1))
        parts.append(_path([place(n, curve.prefill(n)) for n in steps], "steelblue"))
    for n, seconds in points:
        x, y = place(n, seconds)
        said = f"{n:,} tokens: {escape(amounts.seconds(seconds))}"
        parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="darkorange"><title>{said}</title></circle>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _path(places: Sequence[tuple[float, float]], colour: str) -> str:
    steps = " L ".join(f"{x} {y}" for x, y in places)
    return f'<path d="M {steps}" fill="none" stroke="{colour}"/>'


def _ranges(points: Points, curve: CostCurve | None) -> tuple[int, float]:
    """The most tokens, and the longest time that is shown."""
    most = max(n for n, _ in points)
    times = [seconds for _, seconds in points] + ([curve.prefill(most)] if curve else [])
    return most, max(times)


def _row(seconds: float, longest: float) -> int:
    return ROWS - round(ROWS * min(seconds / longest, 1))
