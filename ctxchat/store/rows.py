"""Rows of the record as values of the domain, and back."""

import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from ctxchat.domain.conversation import (
    Conversation,
    Finish,
    Message,
    Omission,
    Pin,
    Role,
    Section,
    Segment,
)
from ctxchat.domain.prompt import SegmentKey

CONVERSATIONS = "SELECT id, name, head, system, created, updated, reclaimed FROM conversation"


def as_text(text: str | None) -> bytes | None:
    """Text to be bound inside `CAST(? AS TEXT)`: SQLite takes no lone surrogates as a string."""
    return None if text is None else text.encode("utf-8", "surrogatepass")


def now() -> str:
    """The time as it is sorted by: UTC, always as long."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def pack_ids(ids: Iterable[int]) -> bytes:
    values = tuple(ids)
    return struct.pack(f"<{len(values)}i", *values)


def unpack_ids(blob: bytes) -> tuple[int, ...]:
    if len(blob) % 4:
        raise ValueError("token ids are cut short")
    return struct.unpack(f"<{len(blob) // 4}i", blob)


def write_messages(connection: sqlite3.Connection, messages: Sequence[Message]) -> None:
    """Messages with their segments, without the ids of those."""
    connection.executemany(
        "INSERT INTO message (id, parent, role, name, at, finish, answered, origin)"
        " VALUES (?, ?, ?, CAST(? AS TEXT), ?, ?, ?, CAST(? AS TEXT))",
        (
            (
                m.id,
                m.parent,
                m.role,
                as_text(m.name),
                m.at.isoformat(),
                m.finish,
                m.answered,
                as_text(m.origin),
            )
            for m in messages
        ),
    )
    write_segments(connection, messages)


def write_segments(connection: sqlite3.Connection, messages: Iterable[Message]) -> None:
    """Segments of messages that are there and have none."""
    connection.executemany(
        "INSERT INTO segment (message, ordinal, section, reasoning, text, passage)"
        " VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?)",
        (
            (message.id, ordinal, s.section, s.reasoning, as_text(s.text), s.passage)
            for message in messages
            for ordinal, s in enumerate(message.segments)
        ),
    )


def write_ids(
    connection: sqlite3.Connection, vocabulary: str, ids: Mapping[SegmentKey, tuple[int, ...]]
) -> None:
    """Ids of segments; those that are there already stay."""
    connection.executemany(
        "INSERT OR IGNORE INTO segment_ids (segment, vocabulary, ids)"
        " SELECT id, ?, ? FROM segment WHERE message = ? AND ordinal = ?",
        ((vocabulary, pack_ids(v), key.message, key.index) for key, v in ids.items()),
    )


def write_pin(connection: sqlite3.Connection, conversation: str, pin: Pin) -> None:
    """A pin behind those the conversation has, or where it stands now if it is one of them."""
    connection.execute(
        "INSERT INTO pin (id, conversation, text, message, pending, ordinal)"
        " VALUES (?, ?, CAST(? AS TEXT), ?, ?,"
        " (SELECT coalesce(max(ordinal), -1) + 1 FROM pin WHERE conversation = ?))"
        " ON CONFLICT (id) DO UPDATE SET message = excluded.message, pending = excluded.pending",
        (pin.id, conversation, as_text(pin.text), pin.message, pin.pending, conversation),
    )


def read_conversation(connection: sqlite3.Connection, row: Sequence[Any]) -> Conversation:
    """A conversation of a row of CONVERSATIONS, with its pins and what is left out of it."""
    id_, name, head, system, created, updated, reclaimed = row
    pins = connection.execute(
        "SELECT id, text, message, pending FROM pin WHERE conversation = ? ORDER BY ordinal", (id_,)
    )
    left_out = connection.execute("SELECT message, what FROM left_out WHERE conversation = ?", (id_,))
    return Conversation(
        id_,
        name,
        head,
        system,
        datetime.fromisoformat(created),
        datetime.fromisoformat(updated),
        tuple(Pin(pin, text, message, bool(pending)) for pin, text, message, pending in pins),
        reclaimed,
        frozenset((message, Omission(what)) for message, what in left_out),
    )


def read_messages(rows: Iterable[Sequence[Any]]) -> tuple[Message, ...]:
    """Messages of rows that hold the eight columns of a message and the five of a segment, one row
    a segment, in order; a message without segments has one row of nulls."""
    return tuple(_message(group) for _, group in groupby(rows, key=itemgetter(0)))


def _message(rows: Iterable[Sequence[Any]]) -> Message:
    segments = []
    for row in rows:
        id_, parent, role, name, at, finish, answered, origin, section, reasoning, text, ids, passage = row
        if section is not None:
            known = None if ids is None else unpack_ids(ids)
            segments.append(Segment(Section(section), text, known, bool(reasoning), passage))
    return Message(
        id_,
        parent,
        Role(role),
        tuple(segments),
        datetime.fromisoformat(at),
        name=name,
        finish=Finish(finish) if finish else None,
        answered=bool(answered),
        origin=origin,
    )
