"""Messages by their words."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime

from ctxchat.domain.conversation import Role, SearchHit
from ctxchat.store.rows import as_text
from ctxchat.store.tree import HOLDERS

# Scripts that put no space between words, or hang endings on them: Thai to Khmer, kana, Han, Hangul.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_RANKED = """
    SELECT message, passage.text FROM passage_fts CROSS JOIN passage ON serial = passage_fts.rowid
    WHERE passage_fts MATCH CAST(? AS TEXT) AND kind = 'turn' ORDER BY rank
"""
_NEWEST = "SELECT message, text FROM passage WHERE kind = 'turn' ORDER BY serial DESC"
_MESSAGE = "SELECT coalesce(origin, id), role, at FROM message WHERE id = ?"


def find_messages(connection: sqlite3.Connection, query: str, limit: int) -> list[SearchHit]:
    """Messages with all the words first, then those with any of them, each best first.

    The index knows whole words. Where the script of the query has none, or nothing was found, the
    words are looked for inside the texts, newest first.
    """
    hits: dict[str, SearchHit] = {}
    for message, text in _candidates(connection, query):
        if len(hits) == limit:
            break
        if message not in hits and (hit := _hit(connection, message, text)):
            hits[message] = hit
    return list(hits.values())


def _candidates(connection: sqlite3.Connection, query: str) -> Iterator[tuple[str, str]]:
    terms = [_quoted(word) for word in query.split() if any(c.isalnum() for c in word)]
    found = False
    for joint in (" AND ", " OR ") if terms else ():
        for row in connection.execute(_RANKED, (as_text(joint.join(terms)),)):
            found = True
            yield row
    if not found or _UNSPACED.search(query):
        yield from _containing(connection, query.casefold().split())


def _quoted(word: str) -> str:
    """A string of FTS5's query language, in which nothing but a quote has a meaning."""
    return '"' + word.replace("\0", " ").replace('"', '""') + '"'


def _containing(connection: sqlite3.Connection, words: list[str]) -> Iterator[tuple[str, str]]:
    for message, text in connection.execute(_NEWEST):
        folded = text.casefold()
        if all(word in folded for word in words):
            yield message, text


def _hit(connection: sqlite3.Connection, message: str, text: str) -> SearchHit | None:
    """None for a message on no conversation's path: one that another answer took the place of."""
    shown, role, at = connection.execute(_MESSAGE, (message,)).fetchone()
    holder = connection.execute(HOLDERS, {"message": message}).fetchone()
    return holder and SearchHit(holder[0], shown, Role(role), datetime.fromisoformat(at), text)
