"""What a message gives to memory: the words that were spoken in it, and texts that came with it."""

import sqlite3
from collections.abc import Iterable
from itertools import chain

from ctxchat.domain.conversation import Message, new_id
from ctxchat.domain.passage import Chunk, PassageKind
from ctxchat.domain.words import words
from ctxchat.store.batches import batches, marks
from ctxchat.store.rows import as_text

_INSERT = "INSERT INTO passage (id, kind, message, ordinal, source, words, text)"
_ROW = "(?, ?, ?, ?, CAST(? AS TEXT), ?, CAST(? AS TEXT))"
_KEPT = """
    SELECT 1 FROM passage
    WHERE message = ? AND kind = 'data' AND rtrim(source, '0123456789-') = CAST(? AS TEXT) LIMIT 1
"""


def write_turns(connection: sqlite3.Connection, messages: Iterable[Message]) -> None:
    """A passage for each message in which anything was spoken."""
    texts = ((message, message.spoken) for message in messages)
    _write(
        connection,
        (
            _row(message.id, PassageKind.TURN, message.id, 0, message.shown_id, text)
            for message, text in texts
            if text.strip()
        ),
    )


def write_attached(connection: sqlite3.Connection, message: str, label: str, chunks: Iterable[Chunk]) -> None:
    """A passage for each chunk of a text that came with a message, blank ones too. One that is kept already
    stays as it is: what is sent of it may be less, and several conversations hold the message."""
    if connection.execute(_KEPT, (message, as_text(f"{label}:"))).fetchone():
        return
    _write(
        connection,
        (
            _row(new_id(), PassageKind.DATA, message, ordinal, f"{label}:{c.first}-{c.last}", c.text)
            for ordinal, c in enumerate(chunks)
        ),
    )


def _row(
    id_: str, kind: PassageKind, message: str, ordinal: int, source: str, text: str
) -> tuple[object, ...]:
    return id_, kind, message, ordinal, as_text(source), len(words(text)), as_text(text)


def _write(connection: sqlite3.Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Many rows a statement: the trigger that indexes them costs as much for one as for hundreds."""
    for batch in batches(rows):
        connection.execute(f"{_INSERT} VALUES {marks(batch, _ROW)}", list(chain.from_iterable(batch)))
