"""A store as it was before there were passages."""

from pathlib import Path

import pytest

from ctxchat.domain.passage import PassageKind
from ctxchat.store import migrate
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.store.passages import along_path, counts, passage_of
from ctxchat.store.rows import as_text

SECOND_SHAPE = migrate._scripts()[:2]
MESSAGES = (
    ("m1", None, "user", "Where did the ZEBRAS run?", "D1:1"),
    ("m2", "m1", "assistant", "To the café, nul\0 lone\udcff", None),
    ("m3", "m2", "user", "  ", None),
    ("m4", "m3", "assistant", "", None),
    ("m5", "m4", "user", "a question that waits", None),
)


def write_as_before(database: Database) -> None:
    at = "2024-01-01T00:00:00+00:00"
    with database.writing() as connection:
        for id_, parent, role, text, origin in MESSAGES:
            serial = connection.execute(
                "INSERT INTO message (id, parent, role, at, answered, origin) VALUES (?, ?, ?, ?, 1, ?)",
                (id_, parent, role, at, origin),
            ).lastrowid
            connection.execute(
                "INSERT INTO segment (message, ordinal, section, reasoning, text)"
                " VALUES (?, 0, 'history', 0, CAST(? AS TEXT))",
                (id_, as_text(text)),
            )
            connection.execute(
                "INSERT INTO message_fts (rowid, text) VALUES (?, CAST(? AS TEXT))", (serial, as_text(text))
            )
        connection.execute(
            "INSERT INTO conversation (id, name, head, system, created, updated)"
            " VALUES ('talk', 'a name', 'm5', '', ?, ?)",
            (at, at),
        )


@pytest.fixture
def upgraded(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with monkeypatch.context() as before:
        before.setattr(migrate, "_scripts", lambda: SECOND_SHAPE)
        database = Database(path)
        write_as_before(database)
        database.close()
    return path


def test_what_was_said_before_there_were_passages_is_found_and_shown(
    upgraded: Path, conversations: SqliteConversations, database: Database
) -> None:
    assert [m.spoken for m in conversations.path("talk")] == [text for *_, text, _ in MESSAGES]
    found = {
        query: [h.message for h in conversations.search(query, 10)] for query in ("zebra", "cafe", "wait")
    }
    assert found == {"zebra": ["D1:1"], "cafe": ["m2"], "wait": ["m5"]}
    summary = conversations.listing()[0]
    assert (summary.turns, summary.conversation.reclaimed) == (3, None)
    with database.writing() as connection:
        assert counts(connection)[PassageKind.TURN] == 3
        places = along_path(connection, "talk")
        passage = passage_of(connection, "m1")
        connection.execute("INSERT INTO passage_fts (passage_fts, rank) VALUES ('integrity-check', 1)")
    assert [(place.id, place.place) for place in places] == [("m1", 0), ("m2", 1), ("m5", 4)]
    assert all(place.words > 3 for place in places)
    assert passage is not None
    assert passage.source == "D1:1"


def test_what_was_upgraded_can_be_deleted_without_a_trace(
    upgraded: Path, conversations: SqliteConversations, database: Database
) -> None:
    conversations.delete("talk")
    stored = b"".join(file.read_bytes().lower() for file in upgraded.parent.glob("ctxchat.db*"))
    for trace in (b"zebra", b"caf", b"that waits"):
        assert trace not in stored
    assert database.check() == 0
