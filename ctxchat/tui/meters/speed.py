"""How fast a turn goes, and how fast the turns before it went."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from textual.content import Content

from ctxchat.display import amounts
from ctxchat.tui.meters.colours import Palette
from ctxchat.tui.meters.drawing import QUIET, STRONG, progress_bar, spread
from ctxchat.tui.meters.figures import Figures, Stage
from ctxchat.tui.meters.meter import Meter, View
from ctxchat.tui.meters.sparkline import sparkline

_NAME_COLUMNS, _VALUE_COLUMNS = 12, 11
_LEAST_CELLS = 4


class SpeedMeter(Meter):
    """What a turn waits for, and the rates of prefill and decoding and the first token, each beside
    those of the turns before. Where there is room, sparklines are two rows high over a median."""

    TITLE = "Speed"

    def drawn(self, view: View, width: int) -> list[Content]:
        figures, now = view.figures, view.figures.speed
        running = [now] if figures.stage.is_turn else []
        past = [*figures.turns, *running]
        hues = view.look.palette
        rows = (
            _Row("prefill", amounts.rate, now.prefill, [turn.prefill for turn in past], hues.gold),
            _Row("decode", amounts.rate, now.decode, [turn.decode for turn in past], hues.blue),
            _Row(
                "first token",
                amounts.seconds,
                now.first_token,
                [turn.first_token for turn in past],
                hues.teal,
            ),
        )
        lines = [line for row in rows for line in row.drawn(width, 2 if view.roomy else 1)]
        return [*_progress_lines(figures, width, hues), *lines]


@dataclass(frozen=True, slots=True)
class _Row:
    """A name, the value as it is now in the words of `told`, and its sparkline."""

    name: str
    told: Callable[[float | None], str]
    value: float | None
    past: list[float | None]
    colour: str

    def drawn(self, width: int, rows: int) -> Iterator[Content]:
        room = width - _NAME_COLUMNS - _VALUE_COLUMNS
        drawn = sparkline(self.past, room, rows) if room >= _LEAST_CELLS else [""] * rows
        known = [value for value in self.past if value is not None]
        middle = self.told(median(known)) if known else amounts.DASH
        name_columns = _NAME_COLUMNS if room >= 0 else 0
        now = _pair(self.name, self.told(self.value), STRONG, name_columns)
        before = _pair("  median", middle, QUIET, name_columns)
        for told, spark in zip([now, before], drawn, strict=False):
            yield spread(told, Content.styled(spark, self.colour), width)


def _pair(name: str, value: str, style: str, name_columns: int) -> Content:
    """A value behind its name: the number in a style, its unit quiet."""
    number, _, unit = value.partition(" ")
    named = f"{name} ".ljust(name_columns)
    return Content.assemble((named, QUIET), (number, style), (f" {unit}".rstrip(), QUIET))


def _progress_lines(figures: Figures, width: int, hues: Palette) -> list[Content]:
    """What the turn waits for, in words and as a bar: two lines always, so that nothing moves."""
    now, stage = figures.progress, figures.stage
    percent = amounts.percent(now.done, now.total)
    done, total, colour, told, end = now.done, now.total, hues.gold, stage.value, ""
    match stage:
        case Stage.READING:
            told = f"{now.done:,}/{now.total:,} · {percent}" if now.total else "preparing"
            left = figures.seconds_left
            end = "" if left is None else f"{amounts.seconds(left)} left"
            if len(told) + 1 + len(end) > width:
                end = end.removesuffix(" left")
        case Stage.ANSWERING:
            done, total, colour = now.texts, figures.prompt.reserve if figures.prompt else 0, hues.blue
            end = f"~{now.texts:,} tokens"
        case Stage.LOADING:
            end = percent
        case Stage.FOLDING:
            end = f"{now.total:,} turns"
        case Stage.RESTING | Stage.MEASURING:
            pass
    words = spread(Content.styled(told, "" if end else QUIET), Content.styled(end, QUIET), width)
    resting = stage is Stage.RESTING
    return [words, Content() if resting else progress_bar(done, total, width, colour)]
