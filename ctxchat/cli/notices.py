"""What stderr gets of a turn beside the status line and reasoning: warnings, errors, receipts."""

from collections.abc import Sequence

from ctxchat.cli.reasoning import write_above
from ctxchat.cli.terminal.screen import Screen
from ctxchat.cli.terminal.status import StatusLine
from ctxchat.display.ledger import ledger, usage_line
from ctxchat.display.plain_text import clean, one_line
from ctxchat.display.steps import filtered, folded
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Compacted, Filtered, TurnEvent, TurnFinished, Warned
from ctxchat.domain.receipt import Citation, Receipt


class Notices:
    """Lines on stderr. `usage` and `stats` say which receipts are wanted, `footnotes` whether the
    sources that the answer cites stand below it."""

    def __init__(
        self, screen: Screen, status: StatusLine | None, *, usage: bool, stats: bool, footnotes: bool
    ) -> None:
        self._screen = screen
        self._status = status
        self._usage = usage
        self._stats = stats
        self._footnotes = footnotes

    def show(self, event: TurnEvent) -> None:
        match event:
            case Warned(message):
                self._say(message)
            case Filtered(steps) if steps:
                self._say(filtered(steps))
            case Compacted():
                self._say(folded(event))
            case TurnFinished(receipt):
                self._finish(receipt)
            case _:
                pass

    def _finish(self, receipt: Receipt) -> None:
        if self._footnotes and receipt.notes:
            self._write_footnotes(receipt.notes)
        # Where there is no answer at all, the warning before said more.
        if receipt.finish is Finish.LENGTH and receipt.answer.strip() and not receipt.error:
            self._say("the answer was cut at its limit: --max-tokens raises it")
        if receipt.error:
            self._say(receipt.error.message)
        if self._usage:
            self._write(usage_line(receipt) + "\n")
        if self._stats:
            self._write(ledger(receipt))

    def _write_footnotes(self, notes: Sequence[Citation]) -> None:
        from ctxchat.context.citations import footnotes

        lines = [self._screen.dim(one_line(line)) + "\n" for line in footnotes(notes)]
        if lines:
            write_above(self._screen, self._status, "".join(lines))

    def _say(self, message: str) -> None:
        self._write(f"ctxchat: {message}\n")

    def _write(self, text: str) -> None:
        write_above(self._screen, self._status, clean(text))
