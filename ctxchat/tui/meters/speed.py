"""How fast a turn goes, and how fast the turns before it went."""

from collections.abc import Iterator, Sequence

from textual.content import Content

from ctxchat.display import amounts
from ctxchat.tui.meters.colours import BLUE, GOLD, TEAL
from ctxchat.tui.meters.drawing import QUIET, STRONG, progress_bar, spread
from ctxchat.tui.meters.figures import Figures, Stage
from ctxchat.tui.meters.meter import Meter, View
from ctxchat.tui.meters.sparkline import sparkline

_ROOMY_ROWS = 2
_LEAST_CELLS = 4


class SpeedMeter(Meter):
    """Prefill with its progress, decoding, and the first token, each beside its turns."""

    TITLE = "Speed"

    def drawn(self, view: View, width: int) -> list[Content]:
        figures, now = view.figures, view.figures.speed
        turns = figures.turns
        running = figures.stage is not Stage.RESTING
        past = [*turns, now] if running else list(turns)
        prefill = _row("prefill", _rate(now.prefill), [turn.prefill for turn in past], GOLD)
        decode = _row("decode", _rate(now.decode), [turn.decode for turn in past], BLUE)
        first = (amounts.seconds(now.first_token), "")
        waiting = _row("first token", first, [turn.first_token for turn in past], TEAL)
        rows = (prefill, decode, waiting)
        lines = [line for row in rows for line in row.drawn(width, roomy=view.roomy)]
        return [*_progress_lines(figures, width), *lines]


class _Row:
    """A name, the value as it is now, and its sparkline."""

    def __init__(self, name: str, value: tuple[str, str], past: Sequence[float | None], colour: str) -> None:
        self._told = Content.assemble((f"{name} ", QUIET), (value[0], STRONG), (value[1], QUIET))
        self._past, self._colour = past, colour

    def drawn(self, width: int, *, roomy: bool) -> Iterator[Content]:
        if roomy:
            yield self._told
            for line in sparkline(self._past, width, _ROOMY_ROWS):
                yield Content.styled(line, self._colour)
            return
        room = width - self._told.cell_length - 1
        drawn = sparkline(self._past, room)[0] if room >= _LEAST_CELLS else ""
        yield spread(self._told, Content.styled(drawn, self._colour), width)


_row = _Row


def _rate(rate: float | None) -> tuple[str, str]:
    number, unit = amounts.rate(rate).split(" ")
    return number, f" {unit}"


def _progress_lines(figures: Figures, width: int) -> Iterator[Content]:
    """What the turn waits for, as a bar and in words."""
    now, stage = figures.progress, figures.stage
    if stage is Stage.RESTING:
        return
    yield progress_bar(now.done, now.total, width, GOLD)
    percent = amounts.percent(now.done, now.total)
    match stage:
        case Stage.READING:
            left = figures.seconds_left
            told = f"{now.done:,} of {now.total:,} · {percent}"
            end = "" if left is None else f"{amounts.seconds(left)} left"
            yield spread(Content(told), Content.styled(end, QUIET), width)
        case Stage.ANSWERING:
            yield spread(Content(stage.value), Content.styled(f"~{now.texts:,} tokens", QUIET), width)
        case Stage.LOADING:
            yield spread(Content(stage.value), Content.styled(percent, QUIET), width)
        case Stage.FOLDING:
            yield Content(f"{stage.value}: {now.total:,}"[:width])
