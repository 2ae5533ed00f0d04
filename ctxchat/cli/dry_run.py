"""What stdout gets of a turn that is not sent: its ledger."""

from typing import TextIO

from ctxchat.display.ledger import ledger
from ctxchat.domain.events import TurnEvent, TurnFinished


class Ledger:
    """The whole ledger when the turn has been planned."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, event: TurnEvent) -> None:
        if isinstance(event, TurnFinished) and event.receipt.prompt:
            self._out.write(ledger(event.receipt))
            self._out.flush()
