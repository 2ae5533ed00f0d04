"""What can go wrong with the file of the record, in the words of a person."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctxchat.domain.errors import StoreError

_LOCKED = "{path} is being written by another process: try again when it has finished"
_CLOSED = "{path} cannot be opened or written: change the permissions of the file and of its folder"
_DAMAGED = "{path} is damaged, or no store of ctxchat: move it away to begin a new one; nothing was changed"
_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk is full, {path} cannot be written: free some space and try again",
    sqlite3.SQLITE_IOERR: "{path} cannot be read or written ({error}): check the disk and its free space",
    sqlite3.SQLITE_READONLY: _CLOSED,
    sqlite3.SQLITE_PERM: _CLOSED,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_ERROR: _DAMAGED,
}
_OTHER = "{path} cannot be used: {error}"


def damaged(path: Path) -> StoreError:
    return StoreError(_DAMAGED.format(path=path))


@contextmanager
def told_plainly(path: Path) -> Iterator[None]:
    """Turn whatever the file at `path` does to us into a StoreError.

    A ValueError means that a row holds what was never written there.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", -1) & 0xFF
        sentence = _SENTENCES.get(code, _OTHER)
        raise StoreError(sentence.format(path=path, error=error)) from error
    except OSError as error:
        raise StoreError(_OTHER.format(path=path, error=error.strerror)) from error
    except ValueError as error:
        raise damaged(path) from error
