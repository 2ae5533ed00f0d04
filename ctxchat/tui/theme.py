"""Colours and signs: the themes, and what stands for each part of a prompt on a meter."""

from dataclasses import dataclass

from textual.theme import Theme

from ctxchat.domain.conversation import Section


@dataclass(frozen=True, slots=True)
class Swatch:
    """How a part is drawn: the theme variable of its colour, and a glyph that tells it apart where
    there is no colour."""

    variable: str
    glyph: str


STANDING = Swatch("meter-standing", "█")
SUMMARY = Swatch("meter-summary", "▓")
HISTORY = Swatch("meter-history", "▒")
RECALLED = Swatch("meter-recalled", "▚")
QUESTION = Swatch("meter-question", "▞")

SWATCHES = {
    Section.SYSTEM: STANDING,
    Section.PINS: STANDING,
    Section.SUMMARY: SUMMARY,
    Section.HISTORY: HISTORY,
    Section.DATA: RECALLED,
    Section.NOTES: RECALLED,
    Section.QUESTION: QUESTION,
    Section.TEMPLATE: STANDING,
}

_DARK_METERS = {
    "meter-standing": "#5fb3b3",
    "meter-summary": "#ffa62b",
    "meter-history": "#2f8fe0",
    "meter-recalled": "#4ebf71",
    "meter-question": "#d77cff",
}
_LIGHT_METERS = {
    "meter-standing": "#17777a",
    "meter-summary": "#b86a00",
    "meter-history": "#1263b0",
    "meter-recalled": "#1f7f43",
    "meter-question": "#9330c4",
}
_ANSI_METERS = {
    "meter-standing": "ansi_cyan",
    "meter-summary": "ansi_yellow",
    "meter-history": "ansi_blue",
    "meter-recalled": "ansi_green",
    "meter-question": "ansi_magenta",
}

DARK = Theme(
    name="ctxchat-dark",
    primary="#0178d4",
    secondary="#5fb3b3",
    accent="#ffa62b",
    warning="#e5c454",
    error="#e0566f",
    success="#4ebf71",
    foreground="#e0e0e0",
    background="#121212",
    surface="#1c1c1c",
    panel="#263238",
    variables={
        **_DARK_METERS,
        "footer-background": "#20292e",
        "footer-key-foreground": "#ffa62b",
        "footer-description-foreground": "#c8cdd0",
        "block-cursor-background": "#ffa62b",
        "block-cursor-foreground": "#121212",
        "scrollbar": "#303030",
        "scrollbar-hover": "#454545",
        "scrollbar-background": "#121212",
        "scrollbar-corner-color": "#121212",
    },
)
LIGHT = Theme(
    name="ctxchat-light",
    primary="#1263b0",
    secondary="#17777a",
    accent="#b86a00",
    warning="#8a6d00",
    error="#b3213f",
    success="#1f7f43",
    foreground="#20262b",
    background="#fafaf8",
    surface="#efefec",
    panel="#e2e6e8",
    dark=False,
    variables={**_LIGHT_METERS, "footer-key-foreground": "#b86a00"},
)
THEMES = (DARK, LIGHT)
