"""Changes of a conversation's path, and what is left out of what is sent: both can be taken back."""

import sqlite3
from collections.abc import Sequence

from ctxchat.domain.conversation import Change, Omission
from ctxchat.domain.errors import StoreError, UsageError
from ctxchat.store.rows import now
from ctxchat.store.tree import PATH_IDS, WALK_FROM

_STANDING = "SELECT head, reclaimed FROM conversation WHERE id = ?"
_KEEP = """
    INSERT INTO path_change (conversation, change, head, reclaimed)
    SELECT id, ?, head, reclaimed FROM conversation WHERE id = ?
"""
_LAST = """
    SELECT id, change, head, reclaimed FROM path_change
    WHERE conversation = ? AND NOT undone ORDER BY id DESC LIMIT 1
"""
_MOVE = "UPDATE conversation SET head = ?, reclaimed = ?, updated = ? WHERE id = ?"
_LEAVE_OUT = "INSERT OR IGNORE INTO left_out (conversation, message, what) VALUES (?, ?, ?)"
_PUT_BACK = "DELETE FROM left_out WHERE conversation = ? AND message = ? AND what = ?"


def path_ids(connection: sqlite3.Connection, conversation: str) -> list[str]:
    """Messages from the root to the head."""
    return [id_ for (id_,) in connection.execute(PATH_IDS, {"conversation": conversation})]


def path_until(connection: sqlite3.Connection, conversation: str, head: str | None) -> list[str]:
    """The path up to a message of it, nothing where that is None. Raises StoreError where it is not on
    the path."""
    path = path_ids(connection, conversation)
    if head is not None and head not in path:
        raise StoreError("the message is not in the conversation any more: nothing was changed")
    return path[: path.index(head) + 1] if head else []


def keep_standing(connection: sqlite3.Connection, conversation: str, change: Change) -> None:
    """Keep where a conversation stands, before a change that can be taken back."""
    connection.execute(_KEEP, (change, conversation))


def turn_back(connection: sqlite3.Connection, conversation: str, head: str | None, change: Change) -> None:
    """Make an earlier message of the path the head."""
    kept = path_until(connection, conversation, head)
    _, reclaimed = connection.execute(_STANDING, (conversation,)).fetchone()
    keep_standing(connection, conversation, change)
    mark = reclaimed_within(connection, conversation, reclaimed, kept)
    connection.execute(_MOVE, (head, mark, now(), conversation))


def reclaimed_within(
    connection: sqlite3.Connection, conversation: str, reclaimed: str | None, kept: Sequence[str]
) -> str | None:
    """The mark of what was given back, on what is kept of the path: what lay before it stays given back."""
    if reclaimed in kept or reclaimed not in path_ids(connection, conversation):
        return reclaimed
    return kept[-1] if kept else None


def last_change(connection: sqlite3.Connection, conversation: str) -> Change | None:
    row = connection.execute(_LAST, (conversation,)).fetchone()
    return Change(row[1]) if row else None


def undo_change(connection: sqlite3.Connection, conversation: str) -> Change | None:
    """Put head and mark where they were, and keep the head that is left: nothing of the tree is lost."""
    row = connection.execute(_LAST, (conversation,)).fetchone()
    if row is None:
        return None
    id_, change, head, reclaimed = row
    left, mark = connection.execute(_STANDING, (conversation,)).fetchone()
    path = [message for (message,) in connection.execute(WALK_FROM, {"head": head})]
    # What was given back since stays given back.
    marks = [message for message in path if message in (reclaimed, mark)]
    connection.execute("UPDATE path_change SET undone = 1, head = ? WHERE id = ?", (left, id_))
    connection.execute(_MOVE, (head, marks[-1] if marks else None, now(), conversation))
    return Change(change)


def leave_out(connection: sqlite3.Connection, conversation: str, message: str, what: Omission) -> None:
    connection.execute(_LEAVE_OUT, (conversation, message, what))


def put_back(connection: sqlite3.Connection, conversation: str, message: str, what: Omission) -> None:
    """Raises UsageError where it was not left out."""
    if not connection.execute(_PUT_BACK, (conversation, message, what)).rowcount:
        raise UsageError("nothing of that is left out: it is sent as it is")


def copy_left_out(connection: sqlite3.Connection, source: str, target: str, messages: Sequence[str]) -> None:
    """Leave out of `target` what is left out of `source`, of the messages that both hold."""
    rows = connection.execute("SELECT message, what FROM left_out WHERE conversation = ?", (source,))
    held = set(messages)
    connection.executemany(
        _LEAVE_OUT, [(target, message, what) for message, what in rows.fetchall() if message in held]
    )
