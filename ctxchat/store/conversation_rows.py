"""Rows of conversations: found, made and changed."""

import sqlite3
from itertools import chain, count

from ctxchat.domain.conversation import Conversation, new_id
from ctxchat.domain.errors import StoreError
from ctxchat.store.rows import CONVERSATIONS, as_text, now, read_conversation


def select_conversations(connection: sqlite3.Connection, clause: str, *values: object) -> list[Conversation]:
    """Conversations that a clause behind FROM picks, in its order."""
    rows = connection.execute(f"{CONVERSATIONS} {clause}", values).fetchall()
    return [read_conversation(connection, row) for row in rows]


def conversation_by_id(connection: sqlite3.Connection, id_: str) -> Conversation:
    """Raises StoreError where it is gone."""
    for conversation in select_conversations(connection, "WHERE id = ?", id_):
        return conversation
    raise gone()


def create_conversation(
    connection: sqlite3.Connection, name: str, system: str, head: str | None, reclaimed: str | None = None
) -> str:
    """The id of a new one; a name already taken gets a number behind it."""
    id_, time = new_id(), now()
    connection.execute(
        "INSERT INTO conversation (id, name, head, system, created, updated, reclaimed)"
        " VALUES (?, CAST(? AS TEXT), ?, CAST(? AS TEXT), ?, ?, ?)",
        (id_, as_text(_free_name(connection, name)), head, as_text(system), time, time, reclaimed),
    )
    return id_


def _free_name(connection: sqlite3.Connection, name: str) -> str:
    numbered = (f"{name} ({number})" for number in count(2))
    for candidate in chain([name], numbered):
        if not select_conversations(connection, "WHERE name = CAST(? AS TEXT)", as_text(candidate)):
            return candidate
    raise AssertionError("there is always a next number")


def change_conversation(connection: sqlite3.Connection, statement: str, *values: object) -> None:
    """Change one conversation. Raises StoreError where it is gone."""
    if not connection.execute(statement, values).rowcount:
        raise gone()


def is_message(connection: sqlite3.Connection, id_: str) -> bool:
    return connection.execute("SELECT 1 FROM message WHERE id = ?", (id_,)).fetchone() is not None


def gone() -> StoreError:
    return StoreError("the conversation was deleted meanwhile: nothing was recorded")
