"""What stdout gets of a turn where it is no terminal: plain text, one object, or a line an event."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol, TextIO

from ctxchat.cli.receipt import (
    Json,
    filters_json,
    kv_json,
    notes_json,
    predicted_json,
    prompt_json,
    receipt_json,
)
from ctxchat.domain.events import (
    Calibrating,
    Compacted,
    Compacting,
    CostPredicted,
    Filtered,
    ModelLoading,
    NotesFound,
    Prefilled,
    PromptBuilt,
    ReasoningGenerated,
    Restored,
    Saving,
    Settling,
    TextGenerated,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.service.json_text import json_text


class View(Protocol):
    """Shows the events of one turn, in order."""

    def show(self, event: TurnEvent) -> None: ...


class PlainAnswer:
    """The model's text, flushed as it comes, with one newline at the end.

    Newlines are held back until more text follows, because those at the end count as the one.
    `before_text` is called before anything is written.
    """

    def __init__(
        self, out: TextIO, clean: Callable[[str], str] = str, before_text: Callable[[], None] = lambda: None
    ) -> None:
        self._out = out
        self._clean = clean
        self._before_text = before_text
        self._newlines = ""
        self._wrote = False

    def show(self, event: TurnEvent) -> None:
        match event:
            case TextGenerated(text):
                self._write(self._clean(text))
            case TurnFinished(receipt) if self._wrote or receipt.finish == "stop":
                self._put("\n")
            case _:
                pass

    def _write(self, text: str) -> None:
        body = text.rstrip("\n")
        if body:
            self._put(self._newlines + body)
            self._newlines = ""
        self._newlines += text[len(body) :]

    def _put(self, text: str) -> None:
        self._before_text()
        self._wrote = True
        self._out.write(text)
        self._out.flush()


class JsonAnswer:
    """One object when the turn has ended."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, event: TurnEvent) -> None:
        if isinstance(event, TurnFinished):
            self._out.write(json_text(receipt_json(event.receipt), indent=2) + "\n")
            self._out.flush()


class JsonEvents:
    """One object a line, as the turn goes on."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, event: TurnEvent) -> None:
        self._out.write(json_text(event_json(event)) + "\n")
        self._out.flush()


def event_json(event: TurnEvent) -> Json:
    """An event as `--events` writes it: its type by the name of its class, and its fields."""
    fields: Json
    match event:
        case TurnFinished(receipt):
            return {"type": "finished", **receipt_json(receipt)}
        case PromptBuilt(prompt):
            fields = prompt_json(prompt, None)
        case CostPredicted(kv, predicted):
            fields = {"kv": kv_json(kv), "predicted": predicted_json(predicted)}
        case Filtered(steps, _):
            fields = {"filters": filters_json(steps)}
        case NotesFound(notes):
            fields = {"notes": notes_json(notes)}
        case Compacting() | Compacted() | ModelLoading() | Prefilled() | Restored() | Warned():
            fields = asdict(event)
        case ReasoningGenerated() | TextGenerated() | Settling() | Saving() | Calibrating():
            fields = asdict(event)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()
    return {"type": name, **fields}
