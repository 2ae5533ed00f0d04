"""Notes as rows, for tests of what reads them."""

from ctxchat.domain.conversation import new_id
from ctxchat.store.database import Database
from ctxchat.store.rows import as_text

ADDED = "2024-05-01T00:00:00+00:00"


def add_notes(database: Database, *texts: str, collection: str = "notes", source: str = "a.md") -> list[str]:
    """A document of one note for each text, and the ids of the notes."""
    ids = [new_id() for _ in texts]
    with database.writing() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO collection VALUES (CAST(? AS TEXT), 's')", (as_text(collection),)
        )
        document = connection.execute(
            "INSERT INTO document (collection, source, hash, added)"
            " VALUES (CAST(? AS TEXT), CAST(? AS TEXT), 'h', ?)",
            (as_text(collection), as_text(source), ADDED),
        ).lastrowid
        for ordinal, (id_, text) in enumerate(zip(ids, texts, strict=True)):
            connection.execute(
                "INSERT INTO passage (id, kind, document, ordinal, source, words, text)"
                " VALUES (?, 'note', ?, ?, CAST(? AS TEXT), ?, CAST(? AS TEXT))",
                (id_, document, ordinal, as_text(f"{source}:1-2"), len(text.split()), as_text(text)),
            )
    return ids
