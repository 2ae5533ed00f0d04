"""Locks between processes: a file that one process at a time holds, and that names the holder.

`flock` belongs to the open file, so the kernel gives it back on any death of the holder. The file
is removed when the lock is given back; whoever waited for the removed one looks at the path again.
"""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctxchat.locations import private_folder

_STEP_SECONDS = 0.02


class HeldError(Exception):
    """The lock stayed with another process; the text says which and what it runs."""


@contextmanager
def locked(path: Path, wait: float) -> Iterator[None]:
    """Hold the lock at `path`, after `wait` seconds at the most.

    Raises HeldError, and OSError or StoreError where the file cannot be made.
    """
    private_folder(path.parent)
    descriptor = _acquired(path, time.monotonic() + wait)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} ({_command()})".encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquired(path: Path, deadline: float) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _wait_for(descriptor, deadline)
            if _is_still_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _wait_for(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace")
                raise HeldError(holder or "another process") from None
            time.sleep(_STEP_SECONDS)
        else:
            return


def _is_still_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _command() -> str:
    """What this process runs, without its arguments: those may hold a question."""
    command = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isidentifier() else ""
    return f"ctxchat {command}".strip()
