"""A terminal as a grid of characters, for what a test is to see on it."""

import io
import re

_SEQUENCE = re.compile(r"\x1b\[(\d*)([A-Za-z])")


class SmallScreen(io.StringIO):
    """Understands newline, carriage return, cursor up, and erasing to the end of line and screen;
    colours are ignored. What scrolls off the top is kept, and can not be drawn on again."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__()
        self.columns = columns
        self.rows = rows
        self._lines = [""]
        self._scrolled: list[str] = []
        self._row = 0
        self._column = 0

    @property
    def text(self) -> str:
        """What stands on the screen, without blank lines at its end and spaces at lines' ends."""
        return "\n".join(line.rstrip() for line in self._lines).strip("\n")

    @property
    def everything(self) -> str:
        """What scrolled off, and what stands."""
        return "\n".join([*self._scrolled, self.text])

    def write(self, text: str) -> int:
        at = 0
        while at < len(text):
            found = _SEQUENCE.match(text, at)
            if found:
                self._obey(found[2], int(found[1] or 0))
                at = found.end()
            else:
                self._put(text[at])
                at += 1
        return len(text)

    def _obey(self, command: str, number: int) -> None:
        line = self._lines[self._row]
        if command == "A":
            self._row = max(0, self._row - max(1, number))
        elif command in ("K", "J"):
            self._lines[self._row] = line[: self._column]
            if command == "J":
                del self._lines[self._row + 1 :]
        elif command != "m":
            raise AssertionError(f"this screen knows no {command}")

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._down()
            self._column = 0
        else:
            if self._column == self.columns:
                self._down()
                self._column = 0
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append("")
        if len(self._lines) > self.rows:
            self._scrolled.append(self._lines.pop(0))
            self._row -= 1
