"""A store in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ctxchat.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def conversations(database: Database) -> SqliteConversations:
    return SqliteConversations(database, wait=0.1)
