"""Brings a database to the newest shape, one numbered file of SQL after the other."""

import sqlite3
from pathlib import Path

from ctxchat.domain.errors import StoreError

_APPLICATION = 0x63747863  # "ctxc", set by the first migration
_FOLDER = Path(__file__).with_name("migrations")


def is_current(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether nothing is left to apply. Raises StoreError where the database is not ours to
    change: made by something else, or by a newer version."""
    version = _version(connection)
    application = _number(connection, "application_id")
    strange = version > 0 or _number(connection, "schema_version") > 0
    if strange and application != _APPLICATION:
        raise StoreError(
            f"{path} is no store of ctxchat: move it away to begin a new one; nothing was changed"
        )
    if version > len(_scripts()):
        raise StoreError(f"{path} was written by a newer version of ctxchat: update ctxchat to open it")
    return version == len(_scripts())


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is missing, each file in a transaction of its own that also records its number."""
    for number, script in enumerate(_scripts(), start=1):
        if number > _version(connection):
            try:
                connection.executescript(
                    f"BEGIN IMMEDIATE;\n{script.read_text('utf-8')}\nPRAGMA user_version = {number};\nCOMMIT;"
                )
            finally:
                if connection.in_transaction:
                    connection.rollback()


def _scripts() -> list[Path]:
    return sorted(_FOLDER.glob("[0-9]*.sql"))


def _version(connection: sqlite3.Connection) -> int:
    return _number(connection, "user_version")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
