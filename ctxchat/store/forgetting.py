"""Forgetting a passage: its text is removed wherever the record holds it."""

import sqlite3
from dataclasses import dataclass

from ctxchat.store.rows import as_text
from ctxchat.store.tree import KEEPERS

FORGOTTEN = "[forgotten]"

_MESSAGES = "SELECT DISTINCT message FROM segment WHERE passage = CAST(? AS TEXT) ORDER BY message"
_IDS = "DELETE FROM segment_ids WHERE segment IN (SELECT id FROM segment WHERE passage = CAST(? AS TEXT))"
_BLANK = "UPDATE segment SET text = ? WHERE passage = CAST(? AS TEXT)"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Where a passage stood: in these `messages`, which these `conversations` hold.

    Their summary blocks and their KV snapshots may hold it still: whoever forgets it has these forget it too.
    """

    conversations: tuple[str, ...]
    messages: tuple[str, ...]


def forget_passage(connection: sqlite3.Connection, passage: str) -> Forgotten:
    """Delete a note or attached text by its id, and blank every segment that holds it.

    It is out of the file after `rewrite_index` in this transaction and `Database.empty_log` behind it.
    A passage that is deleted already may still stand in segments, and is forgotten there.
    """
    key = as_text(passage)
    messages = tuple(message for (message,) in connection.execute(_MESSAGES, (key,)))
    conversations = {
        conversation
        for message in messages
        for (conversation,) in connection.execute(KEEPERS, {"message": message})
    }
    connection.execute(_IDS, (key,))
    connection.execute(_BLANK, (FORGOTTEN, key))
    connection.execute("DELETE FROM passage WHERE id = CAST(? AS TEXT)", (key,))
    return Forgotten(tuple(sorted(conversations)), messages)
