"""Values over turns as blocks, one cell a turn."""

from collections.abc import Sequence

_EIGHTHS = " ▁▂▃▄▅▆▇█"
UNKNOWN = "·"


def sparkline(values: Sequence[float | None], width: int, rows: int = 1) -> list[str]:
    """The last `width` values, the latest at the right, as lines from top to bottom. The tallest fills
    the rows, and none that is known is less than an eighth of a row; what is not known is a dot."""
    shown = list(values)[-width:] if width > 0 else []
    most = max((value for value in shown if value is not None), default=0.0)
    heights = [None if value is None else _height(value, most, rows) for value in shown]
    return ["".join(_block(height, row) for height in heights).rjust(width) for row in reversed(range(rows))]


def _height(value: float, most: float, rows: int) -> int:
    """Eighths of a row."""
    return max(1, round(8 * rows * value / most)) if most > 0 else 1


def _block(height: int | None, row: int) -> str:
    if height is None:
        return UNKNOWN if row == 0 else " "
    return _EIGHTHS[min(8, max(0, height - 8 * row))]
