"""Whoever holds the lock of the snapshots keeps no other process waiting for long."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import StoreError
from ctxchat.engine.snapshots import folder as folders
from ctxchat.engine.snapshots.container import Run
from ctxchat.engine.snapshots.fingerprint import Fingerprint
from ctxchat.engine.snapshots.folder import SnapshotFolder

PRINT = Fingerprint("m", "f16", "f16", "off", "as trained", "t", "b")
IDS = tuple(range(300))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SnapshotFolder:
    """Snapshots of one conversation, where nobody has time to wait."""
    monkeypatch.setattr(folders, "SAVING_WAITS", 0.0)
    monkeypatch.setattr(folders, "REMOVING_WAITS", 0.0)
    folder = SnapshotFolder(tmp_path / "kv")
    keep(folder, "one", Cancel())
    return folder


@pytest.fixture
def _held(folder: SnapshotFolder) -> Iterator[None]:
    """Another process holds the lock: for the kernel, whoever has opened the file by itself is one."""
    descriptor = os.open(folder.path / "lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
    os.close(descriptor)


def keep(folder: SnapshotFolder, holder: str, cancel: Cancel) -> None:
    folder.keep(PRINT, holder, IDS, _cells, cancel)


def _cells(run: Run) -> memoryview:
    return memoryview(bytes(len(run.ids)))


@pytest.mark.usefixtures("_held")
def test_what_cannot_be_kept_in_time_is_told_and_left(folder: SnapshotFolder) -> None:
    with pytest.raises(StoreError, match=r"another process .* not kept this time, .* read again"):
        keep(folder, "two", Cancel())
    assert set(folder.sizes()) == {"one"}


@pytest.mark.usefixtures("_held")
def test_nobody_waits_once_it_is_cancelled(folder: SnapshotFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "SAVING_WAITS", float("inf"))
    cancel = Cancel()
    cancel.request()
    keep(folder, "two", cancel)
    assert set(folder.sizes()) == {"one"}


@pytest.mark.usefixtures("_held")
def test_reading_waits_for_nobody_and_removing_says_who_is_in_the_way(folder: SnapshotFolder) -> None:
    assert folder.longest(PRINT, IDS).end == 300
    for change in (folder.release, lambda holder: folder.share(holder, "two")):
        with pytest.raises(StoreError, match="another process is writing"):
            change("one")
    assert set(folder.sizes()) == {"one"}


def test_the_lock_is_free_again_after_each_change(folder: SnapshotFolder) -> None:
    folder.share("one", "two")
    folder.release("one")
    keep(folder, "three", Cancel())
    assert set(folder.sizes()) == {"two", "three"}
