"""What can be recalled: notes, what was said, and text that was attached."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ctxchat.domain.conversation import Role

MEMORY = "memory"
"""The collection of what is remembered across conversations."""


class PassageKind(StrEnum):
    NOTE = "note"
    TURN = "turn"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of lines of a text, `first` to `last`, counted from 1; `text` is theirs, line ends included."""

    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A text as it becomes notes. `source` is the path it was read from, or another name for it;
    `hash` tells whether it has changed; `chunks` become one note each, in their order."""

    source: str
    hash: str
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of text that is recalled whole.

    `source` says where it stands: `path:first-last` for a note and for attached text, the shown id
    of the message for a turn. `at` is when it was said, attached or added. `collection` is a note's,
    `message` the message that a turn is, or that data came with; `role` and `name` are its speaker's.
    """

    id: str
    kind: PassageKind
    text: str
    source: str
    at: datetime
    collection: str | None = None
    message: str | None = None
    role: Role | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where is looked: in notes of these `collections` (None for all there are), and in the turns and
    the data of a `conversation`. Turns of messages `leaving_out` still lend their words to their
    neighbours, and are not found themselves."""

    collections: tuple[str, ...] | None = ()
    conversation: str | None = None
    leaving_out: frozenset[str] = frozenset()
    kinds: tuple[PassageKind, ...] = tuple(PassageKind)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found. `score` is what it was ranked by. `cosine` (to the query, -1 to 1)
    and `matched` (the share of the query's rare words it holds, 0 to 1) are absolute: they say
    whether it is worth anything. `sitting` numbers the stretch of talk a turn belongs to."""

    passage: Passage
    score: float
    cosine: float
    matched: float
    sitting: int | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """Notes under a name. `space` is the vector space of its embedder, `where` the folder or address
    of its index."""

    name: str
    notes: int
    space: str
    where: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What adding did, in documents: those `unchanged` were skipped by their hash. `notes` counts
    the notes of those added and changed."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    vanished: int = 0
    notes: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.vanished + other.vanished,
            self.notes + other.notes,
        )


Hashes = Mapping[str, str]
"""The hash of each document, by its source."""
