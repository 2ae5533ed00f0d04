"""The lock of the folder of snapshots, which goes with the process that holds it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctxchat.domain.cancel import Cancel
from ctxchat.locations import private_folder

STEP_SECONDS = 0.05


class HeldError(Exception):
    """Another process holds the lock."""


@contextmanager
def locked(folder: Path, wait: float, cancel: Cancel | None = None) -> Iterator[None]:
    """Keep other processes from writing and removing; those that read need not wait. Raises HeldError after
    `wait` seconds, or where it was cancelled meanwhile, and OSError or StoreError where there can be no
    lock."""
    private_folder(folder)
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, time.monotonic() + wait, cancel or Cancel())
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, deadline: float, cancel: Cancel) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if cancel.requested or time.monotonic() >= deadline:
                raise HeldError from None
            time.sleep(STEP_SECONDS)
        else:
            return
