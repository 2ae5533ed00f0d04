"""One SQLite file: made when something is first written, private, usable from any thread."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock

from ctxchat.domain.errors import StoreError
from ctxchat.locations import private_folder
from ctxchat.store.failures import damaged, told_plainly
from ctxchat.store.locks import HeldError, locked
from ctxchat.store.migrate import is_current, migrate

_BUSY_SECONDS = 5.0


class Database:
    """Transactions on the file at `path`. Everything here raises StoreError.

    One connection serves all threads, one transaction at a time: transactions are short, and a
    reader that waits for a writer of its own process waits for milliseconds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None

    @property
    def locks(self) -> Path:
        """The folder of the locks that processes take beside those of SQLite."""
        return self.path.with_name("locks")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view. A file that is absent reads as an empty one and is not made."""
        with self._lock, told_plainly(self.path):
            if self._connection is None and not self.path.exists():
                with closing(_connect(":memory:")) as empty:
                    migrate(empty)
                    yield empty
            else:
                with _transaction(self._open(), "BEGIN") as connection:
                    yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All of it is on the disk when the block ends, or nothing of it is kept."""
        with self._lock, told_plainly(self.path):
            if self._connection is None:
                private_folder(self.path.parent)
                self.path.touch(mode=0o600)
            with _transaction(self._open(), "BEGIN IMMEDIATE") as connection:
                yield connection

    def empty_log(self) -> None:
        """Write the log into the file and cut it: it holds text that was deleted from the file.

        A process that is reading keeps its part of the log until it has finished.
        """
        with self._lock, told_plainly(self.path):
            self._open().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def check(self) -> int | None:
        """How many conversations there are, after a check of the whole file; None without one."""
        if not self.path.exists():
            return None
        with self.reading() as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise damaged(self.path)
            return int(connection.execute("SELECT count(*) FROM conversation").fetchone()[0])

    def close(self) -> None:
        with self._lock, told_plainly(self.path):
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = _connect(f"{self.path.absolute().as_uri()}?mode=rw")
            try:
                if not is_current(connection, self.path):
                    self._upgrade(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _upgrade(self, connection: sqlite3.Connection) -> None:
        """Under a lock of our own: SQLite does not wait for another process to change the journal."""
        try:
            with locked(self.locks / "upgrade", _BUSY_SECONDS):
                connection.execute("PRAGMA journal_mode = WAL")
                migrate(connection)
        except HeldError as holder:
            raise StoreError(
                f"{self.path} is being upgraded by {holder}: try again when it has finished"
            ) from None


def _connect(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        address, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )
    connection.text_factory = _text
    for setting in ("foreign_keys = ON", "secure_delete = ON", "synchronous = FULL", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def _text(stored: bytes) -> str:
    """Text may hold lone surrogates, which came in by a command line or a JSON file."""
    return stored.decode("utf-8", "surrogatepass")


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    try:
        connection.execute(begin)
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()
