"""The index of all passages, word by word, and queries in the words it knows."""

import sqlite3
from array import array
from collections.abc import Sequence
from itertools import chain

from ctxchat.store.rows import as_text

# Tokenized as passage_fts is; of the connection alone, and empty between two queries.
_MAKE = """
    CREATE VIRTUAL TABLE IF NOT EXISTS temp.query USING fts5 (
        text, content = '', tokenize = 'porter unicode61 remove_diacritics 2'
    )
"""
_MAKE_WORDS = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.query_word USING fts5vocab (temp, query, instance)"
_EMPTY = "INSERT INTO temp.query (query) VALUES ('delete-all')"


def stems_of(connection: sqlite3.Connection, texts: Sequence[str]) -> list[list[str]]:
    """The words of each text as the index knows them, in their order. Stop words are the caller's to
    leave out before."""
    stems: list[list[str]] = [[] for _ in texts]
    connection.execute(_MAKE)
    connection.execute(_MAKE_WORDS)
    rows = ((number, as_text(text)) for number, text in enumerate(texts))
    connection.executemany("INSERT INTO temp.query (rowid, text) VALUES (?, CAST(? AS TEXT))", rows)
    for number, term in connection.execute("SELECT doc, term FROM temp.query_word ORDER BY doc, offset"):
        stems[number].append(term)
    connection.execute(_EMPTY)
    return stems


def places_of(connection: sqlite3.Connection, stem: str) -> "array[int]":
    """Serials of all passages that hold a stemmed word, ascending, one for each time it stands there:
    int64, so that equal neighbours count how often."""
    rows = connection.execute("SELECT doc FROM passage_word WHERE term = ?", (stem,))
    return array("q", chain.from_iterable(rows))


def rewrite_index(connection: sqlite3.Connection) -> None:
    """Remove the words of deleted passages: FTS5 marks them as deleted and keeps them until then."""
    connection.execute("INSERT INTO passage_fts (passage_fts) VALUES ('optimize')")
