"""What stderr gets of a model's reasoning."""

from ctxchat.cli.terminal.screen import Screen
from ctxchat.cli.terminal.status import StatusLine
from ctxchat.display.plain_text import clean
from ctxchat.domain.events import ReasoningGenerated, TextGenerated, TurnEvent, TurnFinished, Warned


class Reasoning:
    """Reasoning as it comes off a terminal; dim and in whole lines on one, so that a status line
    can stand below. It sees events before the answer and warnings do, and ends its line when one begins."""

    def __init__(self, screen: Screen, status: StatusLine | None) -> None:
        self._screen = screen
        self._status = status
        self._rest = ""
        self._open = False

    def show(self, event: TurnEvent) -> None:
        match event:
            case ReasoningGenerated(text):
                self._open = True
                self._write(self._added(text))
            case TextGenerated() | Warned() | TurnFinished() if self._open:
                self._write(self._ended())
                self._open = False
            case _:
                pass

    def _added(self, text: str) -> str:
        """What can be written now of reasoning with more text."""
        if not self._screen.err_terminal:
            self._rest = text[-1:]
            return text
        lines = (self._rest + clean(text)).split("\n")
        wrapped = [part for line in lines for part in _wrap(line, self._screen.columns - 1)]
        self._rest = wrapped.pop()
        return "".join(f"{self._screen.dim(line)}\n" for line in wrapped)

    def _ended(self) -> str:
        """What is left to write, up to the end of its line."""
        rest, self._rest = self._rest, ""
        if not self._screen.err_terminal:
            return "" if rest == "\n" else "\n"
        return f"{self._screen.dim(rest)}\n" if rest else ""

    def _write(self, text: str) -> None:
        if text:
            write_above(self._screen, self._status, text)


def write_above(screen: Screen, status: StatusLine | None, text: str) -> None:
    """Write whole lines on stderr, above the status line where there is one."""
    if status:
        status.erase()
    screen.err.write(text)
    screen.err.flush()
    if status:
        status.draw()


def _wrap(line: str, columns: int) -> list[str]:
    """A line cut at spaces into lines of at most `columns` characters; the last may still grow."""
    parts: list[str] = []
    while len(line) > columns:
        at = line.rfind(" ", 1, columns)
        cut = at + 1 if at > 0 else columns
        parts.append(line[:cut].rstrip())
        line = line[cut:]
    return [*parts, line]
