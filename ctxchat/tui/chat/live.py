"""The turn that is being answered, on its widgets."""

from collections.abc import Sequence

from ctxchat.display import steps
from ctxchat.display.receipt_line import receipt_line
from ctxchat.domain.events import (
    Compacted,
    Filtered,
    ReasoningGenerated,
    TextGenerated,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.domain.receipt import Receipt
from ctxchat.tui.chat.transcript import FoldedLine, StepLine, Transcript
from ctxchat.tui.chat.turn_view import TurnView


async def show(events: Sequence[TurnEvent], view: TurnView | None, transcript: Transcript) -> None:
    """Put events on the transcript, and of a turn on its view. Texts are joined: one change a flush."""
    if view is not None:
        reasoned = [event.text for event in events if isinstance(event, ReasoningGenerated)]
        answered = [event.text for event in events if isinstance(event, TextGenerated)]
        if reasoned:
            view.add_reasoning("".join(reasoned), len(reasoned))
        if answered:
            await view.add_answer("".join(answered))
    for event in events:
        match event:
            case Compacted():
                await transcript.note(FoldedLine(steps.folding(event)))
            case Filtered(filters, _) if filters:
                await transcript.note(StepLine(f"⧩ attached text filtered: {steps.filtered(filters)}"))
            case Warned(message):
                await transcript.note(StepLine(f"! {message}", "step warned"))
            case TurnFinished(receipt) if view is not None:
                await view.finish(_about(receipt), receipt.finish)
            case _:
                pass


def _about(receipt: Receipt) -> str:
    line = receipt_line(receipt)
    if receipt.error is None:
        return line
    return f"{receipt.error.message}\n{line}".rstrip()
