"""Takes out what only a terminal understands: colours, movements, and progress drawn over itself."""

import re

RULE = "terminal codes"

_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and movements
    r"|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # titles and links
    r"|\x1b[PX^_][^\x1b\n]*(?:\x1b\\)?"
    r"|\x1b[ -/]*[0-~]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_OVERWRITTEN = re.compile(r"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)
_BAR = re.compile(r"([^\x00-\x7f\w\s])\1{7,}")
_TYPED_OVER = re.compile(r"[^\b\n]\x08")


def without_terminal_codes(text: str) -> str:
    """The text as a terminal would have left it: of a line that was drawn again and again the
    last. Bars of one character are shortened to three."""
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        text = _OVERWRITTEN.sub("", text).replace("\r", "")
    if "\x08" in text:
        text = _TYPED_OVER.sub("", text)
    if not text.isascii():
        text = _BAR.sub(r"\1\1\1", text)
    return _CONTROL.sub("", text)
