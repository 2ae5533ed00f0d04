"""The five colours of the meters, on dark and on light screens, and the glyphs that tell sources apart
where colours do not."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """Five hues that everybody can name."""

    teal: str
    gold: str
    green: str
    blue: str
    pink: str


# Chosen by search: those shades whose closest pair is farthest apart in Oklab, seen with full sight and as
# people without red, green or blue cones see (Machado 2009): 0.148 at worst, where Okabe and Ito's have
# 0.076. All stand out from black by 3.6 to 1 and more.
DARK = Palette("#35dccd", "#d4af10", "#0e7f1f", "#6691f1", "#e34f91")
# By the same search for a light screen: 0.118 at worst; all stand out from a light grey (#e0e0e0) by 3 to 1.
LIGHT = Palette("#316a6f", "#8a7406", "#1c4b2b", "#3581d1", "#6c118a")
_QUIET, FREE_STYLE = "$foreground 45%", "$foreground 22%"

RESERVE, FREE, DRAFT = "reserve", "free", "draft"
DISK, REUSED, NEW, ANSWER = "from disk", "reused", "new", "answer"

_HUES: Mapping[str, str] = {
    "system": "teal",
    "pins": "teal",
    "summary": "gold",
    "history": "blue",
    "data": "pink",
    "notes": "green",
    "question": "pink",
    DRAFT: "pink",
    DISK: "teal",
    REUSED: "green",
    NEW: "gold",
    ANSWER: "blue",
}
_GREYS: Mapping[str, str] = {"template": _QUIET, RESERVE: _QUIET, FREE: FREE_STYLE}

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
    palette: Palette = DARK

    def glyph(self, source: str) -> str:
        return (GLYPHS if self.textured else _SOLID)[source]

    def colour(self, source: str) -> str:
        return _GREYS.get(source) or str(getattr(self.palette, _HUES[source]))


PLAIN = Look()


def look_of(color_system: str | None, *, no_color: bool, dark: bool = True) -> Look:
    """The look for a terminal with this color system, as Rich names them, under a theme that is `dark` or
    light."""
    textured = no_color or color_system not in {"256", "truecolor"}
    return Look(textured, DARK if dark else LIGHT)
