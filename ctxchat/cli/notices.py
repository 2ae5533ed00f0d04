"""What stderr gets of a turn beside the status line: reasoning, warnings, errors, receipts."""

from ctxchat.cli.ledger import ledger, usage_line
from ctxchat.cli.plain_text import clean
from ctxchat.cli.terminal.screen import Screen
from ctxchat.cli.terminal.status import StatusLine
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import ReasoningGenerated, TextGenerated, TurnEvent, TurnFinished, Warned
from ctxchat.domain.receipt import Receipt


class Notices:
    """Lines on stderr, each above the status line where there is one.

    `reasoning` says whether the model's reasoning is shown (it is not where stdout carries it in
    JSON), `usage` and `stats` which receipts are.
    """

    def __init__(
        self, screen: Screen, status: StatusLine | None, *, reasoning: bool, usage: bool, stats: bool
    ) -> None:
        self._screen = screen
        self._status = status
        self._reasoning = Reasoning(screen) if reasoning else None
        self._usage = usage
        self._stats = stats

    def show(self, event: TurnEvent) -> None:
        match event:
            case ReasoningGenerated(text) if self._reasoning:
                self._write(self._reasoning.add(text))
            case TextGenerated() if self._reasoning:
                self._write(self._reasoning.end())
            case Warned(message):
                self._say(message)
            case TurnFinished(receipt):
                self._finish(receipt)
            case _:
                pass

    def _finish(self, receipt: Receipt) -> None:
        if self._reasoning:
            self._write(self._reasoning.end())
        if receipt.finish is Finish.LENGTH:
            self._say("the answer was cut at its limit: --max-tokens raises it")
        if receipt.error:
            self._say(receipt.error.message)
        if self._usage:
            self._write(usage_line(receipt) + "\n")
        if self._stats:
            self._write(ledger(receipt))

    def _say(self, message: str) -> None:
        self._write(f"ctxchat: {clean(message)}\n")

    def _write(self, text: str) -> None:
        if not text:
            return
        if self._status:
            self._status.erase()
        self._screen.err.write(text)
        self._screen.err.flush()
        if self._status:
            self._status.draw()


class Reasoning:
    """Reasoning as stderr gets it: as it comes off a terminal; dim and in whole lines on one, so
    that a status line can stand below."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._rest = ""
        self._open = False

    def add(self, text: str) -> str:
        """What can be written now."""
        self._open = True
        if not self._screen.err_terminal:
            self._rest = text[-1:]
            return text
        lines = (self._rest + clean(text)).split("\n")
        wrapped = [part for line in lines for part in _wrap(line, self._screen.columns - 1)]
        self._rest = wrapped.pop()
        return "".join(f"{self._screen.dim(line)}\n" for line in wrapped)

    def end(self) -> str:
        """What is left to write, up to the end of its line."""
        if not self._open:
            return ""
        rest, self._rest, self._open = self._rest, "", False
        if not self._screen.err_terminal:
            return "" if rest == "\n" else "\n"
        return f"{self._screen.dim(rest)}\n" if rest else ""


def _wrap(line: str, columns: int) -> list[str]:
    """A line cut at spaces into lines of at most `columns` characters; the last may still grow."""
    parts: list[str] = []
    while len(line) > columns:
        at = line.rfind(" ", 1, columns)
        cut = at + 1 if at > 0 else columns
        parts.append(line[:cut].rstrip())
        line = line[cut:]
    return [*parts, line]
