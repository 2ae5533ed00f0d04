"""Summary blocks of a conversation: a stack of compactions, each an ordered list of blocks.

Blocks are live while the messages they cover lie on the path. An edit of an earlier turn takes
later blocks out of force without a change to any row.
"""

import json
import sqlite3
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from ctxchat.domain.summary import SummaryBlock, SummaryOrigin
from ctxchat.store.path_changes import path_ids
from ctxchat.store.rows import as_text

_BLOCKS = "SELECT summary_block.id, first, last, turns, prose, facts, left_out, origin FROM summary_block"
_OF_NEWEST = """
    JOIN compaction_block ON block = summary_block.id
    WHERE compaction = (SELECT max(id) FROM compaction WHERE conversation = ?)
    ORDER BY ordinal
"""
_DELETE_UNHELD = "DELETE FROM summary_block WHERE id NOT IN (SELECT block FROM compaction_block)"
_POP = "DELETE FROM compaction WHERE id = (SELECT max(id) FROM compaction WHERE conversation = ?)"


def live_blocks(connection: sqlite3.Connection, conversation: str) -> tuple[SummaryBlock, ...]:
    """The blocks of the newest compaction up to the first that the path does not hold."""
    blocks = [_block(row) for row in connection.execute(f"{_BLOCKS} {_OF_NEWEST}", (conversation,))]
    path = set(path_ids(connection, conversation)) if blocks else set()
    return tuple(takewhile(lambda block: block.last in path, blocks))


def push_compaction(
    connection: sqlite3.Connection, conversation: str, blocks: Sequence[SummaryBlock]
) -> None:
    """Make these the live blocks. AssertionError where they do not cover the path from its root on,
    without a gap, or where a block that is known has changed."""
    _check(blocks, path_ids(connection, conversation))
    for block in blocks:
        _keep(connection, block)
    _push(connection, conversation, [block.id for block in blocks])
    connection.execute("UPDATE pin SET message = NULL, pending = 0 WHERE conversation = ?", (conversation,))


def pop_compaction(connection: sqlite3.Connection, conversation: str) -> bool:
    """Go back to the blocks before the last compaction, and past those that an edit left without
    effect; False where nothing changed."""
    before = live_blocks(connection, conversation)
    changed = False
    while not changed and connection.execute(_POP, (conversation,)).rowcount:
        changed = live_blocks(connection, conversation) != before
    delete_unheld_blocks(connection)
    return changed


def copy_compactions(connection: sqlite3.Connection, source: str, target: str) -> None:
    """Give `target` the whole stack of `source`; the blocks are shared."""
    stack = connection.execute("SELECT id FROM compaction WHERE conversation = ? ORDER BY id", (source,))
    for (compaction,) in stack.fetchall():
        rows = connection.execute(
            "SELECT block FROM compaction_block WHERE compaction = ? ORDER BY ordinal", (compaction,)
        )
        _push(connection, target, [block for (block,) in rows])


def delete_unheld_blocks(connection: sqlite3.Connection) -> None:
    """Remove the blocks that no conversation holds, now or in what it can go back to."""
    connection.execute(_DELETE_UNHELD)


def _check(blocks: Sequence[SummaryBlock], path: Sequence[str]) -> None:
    places = {id_: place for place, id_ in enumerate(path)}
    begin = 0
    for block in blocks:
        assert places.get(block.first) == begin, f"block {block.id} does not begin where the last one ended"
        end = places.get(block.last, -1)
        assert end >= begin, f"block {block.id} does not end on the path behind its beginning"
        begin = end + 1


def _keep(connection: sqlite3.Connection, block: SummaryBlock) -> None:
    row = connection.execute(f"{_BLOCKS} WHERE id = ?", (block.id,)).fetchone()
    if row is not None:
        assert _block(row) == block, f"block {block.id} has changed: a changed block has an id of its own"
        return
    connection.execute(
        "INSERT INTO summary_block (id, first, last, turns, prose, facts, left_out, origin)"
        " VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?)",
        (
            block.id,
            block.first,
            block.last,
            block.turns,
            as_text(block.prose),
            json.dumps(block.facts),
            json.dumps(block.left_out),
            block.origin,
        ),
    )


def _push(connection: sqlite3.Connection, conversation: str, blocks: Sequence[str]) -> None:
    compaction = connection.execute(
        "INSERT INTO compaction (conversation) VALUES (?)", (conversation,)
    ).lastrowid
    connection.executemany(
        "INSERT INTO compaction_block (compaction, ordinal, block) VALUES (?, ?, ?)",
        [(compaction, ordinal, block) for ordinal, block in enumerate(blocks)],
    )


def _block(row: Sequence[Any]) -> SummaryBlock:
    id_, first, last, turns, prose, facts, left_out, origin = row
    texts = (tuple(json.loads(facts)), tuple(json.loads(left_out)))
    return SummaryBlock(id_, first, last, turns, prose, *texts, SummaryOrigin(origin))
