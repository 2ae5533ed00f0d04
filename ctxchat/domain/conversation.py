"""What is recorded: messages in a tree, and conversations as heads into it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Section(StrEnum):
    """The eight parts every token of a prompt is counted under, in the order they are sent."""

    SYSTEM = "system"
    PINS = "pins"
    SUMMARY = "summary"
    HISTORY = "history"
    DATA = "data"
    NOTES = "notes"
    QUESTION = "question"
    TEMPLATE = "template"


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"
    ERROR = "error"


class Change(StrEnum):
    """What a person did to the path of a conversation, and can take back."""

    AGAIN = "again"
    REST = "rest"
    EDIT = "edit"
    DELETE = "delete"


class Omission(StrEnum):
    """What a person leaves out of what is sent: a whole turn, named by its question, or the notes and
    the data of one message."""

    TURN = "turn"
    ATTACHED = "attached"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of a message's text that is tokenized on its own.

    `section` is what the text counted as when it was new; a question or an answer counts as
    history from the next turn on. `ids` are the token ids under the vocabulary the message was
    read for, None where they were never made. `passage` is the id of what was recalled, and stands here.
    """

    section: Section
    text: str
    ids: tuple[int, ...] | None = None
    reasoning: bool = False
    passage: str | None = None


SPOKEN = (Section.QUESTION, Section.HISTORY)


@dataclass(frozen=True, slots=True)
class Message:
    """A question or an answer. `parent` is the message before it, None at a root.

    `answered` is False for a question whose answer never came: it is shown and searched, and
    never sent. `origin` is the id an imported message had in its file, unique there alone; None
    where it was said here.
    """

    id: str
    parent: str | None
    role: Role
    segments: tuple[Segment, ...]
    at: datetime
    name: str | None = None
    finish: Finish | None = None
    answered: bool = True
    origin: str | None = None

    @property
    def shown_id(self) -> str:
        """The id a person knows it by."""
        return self.origin or self.id

    @property
    def spoken(self) -> str:
        """What was said, without attachments, fences and reasoning."""
        return "".join(s.text for s in self.segments if s.section in SPOKEN and not s.reasoning)

    @property
    def reasoning(self) -> str:
        return "".join(s.text for s in self.segments if s.reasoning)


@dataclass(frozen=True, slots=True)
class Pin:
    """Text that stands in every prompt of its conversation, verbatim.

    `message` is the message it rides in, or None where it stands before the history. A pending one
    was made between two turns, and will ride in the next question.
    """

    id: str
    text: str
    message: str | None = None
    pending: bool = False

    @property
    def leads(self) -> bool:
        """Whether it stands before the history."""
        return self.message is None and not self.pending


@dataclass(frozen=True, slots=True)
class Conversation:
    """A name for a path through the tree: from a root to `head`, None before the first message.

    `reclaimed` is the last message whose notes and data are not sent any more, nor those of messages
    before it. `left_out` are messages that a person took out of what is sent, each with what of it.
    """

    id: str
    name: str
    head: str | None
    system: str
    created: datetime
    updated: datetime
    pins: tuple[Pin, ...] = ()
    reclaimed: str | None = None
    left_out: frozenset[tuple[str, Omission]] = frozenset()

    def omitted(self, what: Omission) -> frozenset[str]:
        """The messages that are left out in this way."""
        return frozenset(message for message, of in self.left_out if of is what)


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation as a list shows it. `turns` counts answered questions, and every imported
    message of the user; `tokens` the ids kept for the vocabulary with most of them,
    `snapshot_bytes` its KV snapshots on disk."""

    conversation: Conversation
    turns: int
    tokens: int
    snapshot_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A message found by its words: `message` is its shown id, `text` what was said, whole."""

    conversation: str
    message: str
    role: Role
    at: datetime
    text: str


def sent(path: Iterable[Message]) -> tuple[Message, ...]:
    """The messages of a path that are sent as history: a question without an answer is not."""
    return tuple(m for m in path if m.answered)


def count_turns(path: Iterable[Message]) -> int:
    """Turns of a path: questions of the user that were answered."""
    return sum(1 for m in path if m.role is Role.USER and m.answered)


def new_id() -> str:
    """An id for a message, a conversation or a pin: 16 random hexadecimal digits."""
    return os.urandom(8).hex()
