"""The five colours of the meters, and the glyphs that tell sources apart where colours do not."""

from collections.abc import Mapping
from dataclasses import dataclass

# Chosen by search: of five hues that everybody can name (teal, gold, green, blue, pink), those shades
# whose closest pair is farthest apart in Oklab, seen with full sight and as people without red, green
# or blue cones see (Machado 2009): 0.148 at worst, where Okabe and Ito's have 0.076. All stand out from
# black by 3.6 to 1 and more.
TEAL, GOLD, GREEN, BLUE, PINK = "#35dccd", "#d4af10", "#0e7f1f", "#6691f1", "#e34f91"
_QUIET, _FAINT = "$foreground 45%", "$foreground 22%"

RESERVE, FREE, DRAFT = "reserve", "free", "draft"
DISK, REUSED, NEW, ANSWER = "from disk", "reused", "new", "answer"

METER_COLORS: Mapping[str, str] = {
    "system": TEAL,
    "pins": TEAL,
    "summary": GOLD,
    "history": BLUE,
    "data": PINK,
    "notes": GREEN,
    "question": PINK,
    "template": _QUIET,
    DRAFT: PINK,
    RESERVE: _QUIET,
    FREE: _FAINT,
    DISK: TEAL,
    REUSED: GREEN,
    NEW: GOLD,
    ANSWER: BLUE,
}

GLYPHS: Mapping[str, str] = {
    "system": "▌",
    "pins": "▞",
    "summary": "▀",
    "history": "█",
    "data": "▄",
    "notes": "▚",
    "question": "▓",
    "template": "═",
    DRAFT: "▪",
    RESERVE: "▒",
    FREE: "░",
    DISK: "▀",
    REUSED: "█",
    NEW: "▓",
    ANSWER: "▚",
}
"""All of one bar differ: these stand where there are no colours, or sixteen."""

_SOLID: Mapping[str, str] = dict.fromkeys(GLYPHS, "█") | {
    "pins": "▓",
    "data": "▓",
    "template": "▓",
    DRAFT: "▒",
    RESERVE: "▒",
    FREE: "░",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How sources are drawn on a terminal: `textured` ones differ by their glyphs alone."""

    textured: bool = False

    def glyph(self, source: str) -> str:
        return (GLYPHS if self.textured else _SOLID)[source]


PLAIN = Look()


def look_of(color_system: str | None, *, no_color: bool) -> Look:
    """The look for a terminal with this color system, as Rich names them."""
    return Look(textured=no_color or color_system not in {"256", "truecolor"})
