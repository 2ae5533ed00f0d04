"""Summary blocks without what was forgotten."""

import json
import sqlite3
from collections.abc import Iterable

from ctxchat.domain.conversation import new_id
from ctxchat.store.batches import batches, marks
from ctxchat.store.forgetting import FORGOTTEN
from ctxchat.store.rows import as_text

_BLOCKS = """
    SELECT DISTINCT summary_block.id, prose, facts, left_out FROM summary_block
    JOIN compaction_block ON block = summary_block.id JOIN compaction ON compaction.id = compaction
"""
_COPY = """
    INSERT INTO summary_block (id, first, last, turns, prose, facts, left_out, origin)
    SELECT ?, first, last, turns, CAST(? AS TEXT), ?, ?, origin FROM summary_block WHERE id = ?
"""
_LEAST = 4  # characters of a line that say enough to be looked for


def forget_in_blocks(connection: sqlite3.Connection, conversations: Iterable[str], text: str) -> None:
    """Take a text out of the blocks of conversations, those they could go back to included: facts that
    are of it, and the lines of prose that hold a line of it.

    A block is never changed: one without the text takes its place.
    """
    for batch in batches(conversations):
        where = f"WHERE conversation IN ({marks(batch)})"
        for id_, prose, facts, left_out in connection.execute(f"{_BLOCKS} {where}", batch).fetchall():
            kept = [json.dumps(_without(json.loads(texts), text)) for texts in (facts, left_out)]
            lines = "\n".join(FORGOTTEN if _holds(line, text) else line for line in prose.split("\n"))
            if [lines, *kept] != [prose, facts, left_out]:
                _replace(connection, id_, lines, kept)


def _replace(connection: sqlite3.Connection, old: str, prose: str, texts: list[str]) -> None:
    new = new_id()
    connection.execute(_COPY, (new, as_text(prose), *texts, old))
    connection.execute("UPDATE compaction_block SET block = ? WHERE block = ?", (new, old))
    connection.execute("DELETE FROM summary_block WHERE id = ?", (old,))


def _without(facts: list[str], text: str) -> list[str]:
    return [fact for fact in facts if _plain(fact) not in _plain(text) and not _holds(fact, text)]


def _holds(line: str, text: str) -> bool:
    """Whether a line holds a line of a text."""
    return any(len(part) >= _LEAST and part in _plain(line) for part in map(_plain, text.splitlines()))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
