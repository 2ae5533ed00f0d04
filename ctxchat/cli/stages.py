"""What flags change in a turn's events, so that every view of them shows the same answer."""

from collections.abc import Iterator
from dataclasses import replace

from ctxchat.display.code_block import first_code_block
from ctxchat.domain.events import ReasoningGenerated, TextGenerated, TurnEvent, TurnFinished, Warned


def without_reasoning(events: Iterator[TurnEvent]) -> Iterator[TurnEvent]:
    """Leave out what the model reasoned."""
    for event in events:
        if isinstance(event, TurnFinished):
            yield TurnFinished(replace(event.receipt, reasoning=None))
        elif not isinstance(event, ReasoningGenerated):
            yield event


def at_once(events: Iterator[TurnEvent]) -> Iterator[TurnEvent]:
    """Hold the answer's text back until it is whole."""
    held: list[str] = []
    for event in events:
        if isinstance(event, TextGenerated):
            held.append(event.text)
            continue
        if isinstance(event, TurnFinished) and held:
            yield TextGenerated("".join(held))
        yield event


def code_block_alone(events: Iterator[TurnEvent]) -> Iterator[TurnEvent]:
    """Put the first code block in the place of the answer, whole where it has none."""
    for event in at_once(events):
        match event:
            case TextGenerated(text):
                block = first_code_block(text)
                if block is None:
                    yield Warned("the answer has no code block: it is printed whole")
                yield TextGenerated(text if block is None else block)
            case TurnFinished(receipt):
                block = first_code_block(receipt.answer)
                yield TurnFinished(receipt if block is None else replace(receipt, answer=block))
            case _:
                yield event
