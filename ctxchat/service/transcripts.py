"""Conversations as text for somebody else: as JSON lines, as one JSON object, as Markdown."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ctxchat.domain.conversation import Conversation, Message, Role, Section
from ctxchat.service.json_text import json_text

_SPEAKERS = {Role.USER: "User", Role.ASSISTANT: "Assistant", Role.SYSTEM: "System"}


class TranscriptFormat(StrEnum):
    JSONL = "jsonl"
    MD = "md"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation with every message on its path, questions without an answer included."""

    conversation: Conversation
    messages: tuple[Message, ...]

    def written(self, form: TranscriptFormat) -> str:
        """The whole as text that ends with a line break, or as no text where nothing was said."""
        match form:
            case TranscriptFormat.JSONL:
                return "".join(json_text(_line(m)) + "\n" for m in self.messages)
            case TranscriptFormat.MD:
                return "\n\n".join([f"# {self.conversation.name}", *map(_passage, self.messages)]) + "\n"
            case TranscriptFormat.JSON:
                return json_text(self.fields(), indent=2) + "\n"

    def fields(self) -> dict[str, object]:
        """The object of `sessions show --json`; imported messages have the ids of their file."""
        shown = {m.id: m.shown_id for m in self.messages}
        return {
            "id": self.conversation.id,
            "name": self.conversation.name,
            "messages": [{**_fields(m), "parent": m.parent and shown[m.parent]} for m in self.messages],
        }


def heading(message: Message) -> str:
    """Who spoke, when, and what became of it."""
    marks = [] if message.answered else ["not answered"]
    if message.finish is not None and message.finish != "stop":
        marks.append(message.finish)
    time = message.at.isoformat(sep=" ", timespec="minutes")
    return f"{speaker(message.name, message.role)}, {time}" + "".join(f" ({mark})" for mark in marks)


def speaker(name: str | None, role: Role) -> str:
    """A name, or what one is called who has none."""
    return name or _SPEAKERS[role]


def attached(message: Message) -> int:
    """Characters of files and piped data that were sent along, and are not part of what was said."""
    return sum(len(s.text) for s in message.segments if s.section is Section.DATA)


def _fields(message: Message) -> dict[str, object]:
    return {
        "id": message.shown_id,
        "parent": None,
        "role": message.role,
        "name": message.name,
        "at": message.at.isoformat(),
        "text": message.spoken,
        "finish": message.finish,
    }


def _line(message: Message) -> Mapping[str, object]:
    fields = _fields(message)
    kept = ("id", "role", "name", "at", "text")
    return {key: fields[key] for key in kept if fields[key] is not None}


def _passage(message: Message) -> str:
    return f"## {heading(message)}\n\n{message.spoken}"
