"""The folder of snapshots: what is in it for whom, written and read under its rules.

    FINGERPRINT/PARENT-NAME.block …     cells, see `names`
    FINGERPRINT/CONVERSATION.held       the names a conversation holds, a line each

What no conversation holds is removed. A block that several hold is there once.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import StoreError
from ctxchat.engine.snapshots.container import (
    Ids,
    Run,
    difference,
    read_cells,
    write_snapshot,
)
from ctxchat.engine.snapshots.fingerprint import Fingerprint
from ctxchat.engine.snapshots.lock import HeldError, locked
from ctxchat.engine.snapshots.names import runs
from ctxchat.engine.snapshots.room import allowed_bytes, bytes_of, make_room, snapshot_files
from ctxchat.engine.snapshots.search import Found, Prefix, longest_prefix
from ctxchat.engine.snapshots.writing import write_whole
from ctxchat.locations import private_folder

Extract = Callable[[Run], memoryview]

SAVING_WAITS, REMOVING_WAITS = 3.0, 60.0
"""Seconds to wait for another process: what is not kept is only read again, what is not removed stays."""


@dataclass(frozen=True, slots=True)
class SnapshotFolder:
    """Cells on disk; `most` bytes of them, None leaving it to the disk."""

    path: Path
    most: int | None = None

    def longest(self, fingerprint: Fingerprint, ids: Ids) -> Prefix:
        """The files that hold most of what `ids` begin with. Their cells are not looked at."""
        with suppress(OSError):
            return longest_prefix(self._of(fingerprint), fingerprint, ids)
        return Prefix()

    def read(self, fingerprint: Fingerprint, found: Found) -> memoryview:
        """The cells of a file, verified in full. Raises RefusedError."""
        cells = read_cells(found.path, fingerprint, found.run)
        with suppress(OSError):
            os.utime(found.path)
        return cells

    def apart(self, fingerprint: Fingerprint, holder: str) -> str | None:
        """What sets the other fingerprint apart that a conversation is kept under, the newest of them; None
        where it is kept under this one, or nothing of it is there any more."""
        held = {path.parent: path for path in self.path.glob(f"*/{holder}.held")}
        if self._of(fingerprint) in held:
            return None
        with suppress(OSError):
            for path in sorted(held.values(), key=lambda path: path.stat().st_mtime, reverse=True):
                for name in _lines(path):
                    if apart := difference(path.parent / name, fingerprint):
                        return apart
        return None

    def remove(self, path: Path) -> None:
        """Remove a file that must not be used."""
        with suppress(OSError):
            path.unlink(missing_ok=True)

    def keep(
        self,
        fingerprint: Fingerprint,
        holder: str,
        ids: Ids,
        extract: Extract,
        cancel: Cancel,
        *,
        whole: bool = False,
    ) -> None:
        """Write the cells of `ids` that are not there yet; they, and what stands before them, are what
        a conversation holds from now on. Raises StoreError, also where another process writes for long; what
        was written until then stays."""
        try:
            with locked(self.path, SAVING_WAITS, cancel):
                folder = private_folder(self._of(fingerprint))
                allowed = allowed_bytes(self.path, self.most)
                wanted = list(runs(fingerprint.digest, ids, whole=whole))
                _write_lines(folder / f"{holder}.held", (name for name, _ in wanted))
                taken = 0
                for name, run in wanted:
                    if cancel.requested or taken >= allowed:
                        break
                    taken += _kept(folder / str(name), fingerprint, run, extract)
                if not cancel.requested:
                    _remove_unheld(folder)
                    make_room(self.path, allowed)
        except HeldError as error:
            if not cancel.requested:
                raise StoreError(
                    f"another process is writing KV snapshots to {self.path}: those of this conversation are "
                    "not kept this time, and what they hold is read again where it is needed"
                ) from error
        except OSError as error:
            raise self._unwritable(error) from error

    def share(self, holder: str, other: str) -> None:
        """Let another conversation hold what this one does. Raises StoreError."""
        try:
            for path in self.path.glob(f"*/{holder}.held"):
                with locked(self.path, REMOVING_WAITS):
                    _write_lines(path.with_name(f"{other}.held"), _lines(path))
        except HeldError as error:
            raise self._busy() from error
        except OSError as error:
            raise self._unwritable(error) from error

    def release(self, holder: str) -> None:
        """Remove what this conversation alone holds. Raises StoreError."""
        try:
            held = list(self.path.glob(f"*/{holder}.held"))
            if not held:
                return
            with locked(self.path, REMOVING_WAITS):
                for path in held:
                    path.unlink(missing_ok=True)
                    _remove_unheld(path.parent)
        except HeldError as error:
            raise self._busy() from error
        except OSError as error:
            raise StoreError(
                f"KV snapshots in {self.path} cannot be removed: {error.strerror}; delete the folder by hand"
            ) from error

    def sizes(self) -> Mapping[str, int]:
        """Bytes by conversation. What several hold counts in full for each of them."""
        sizes: Counter[str] = Counter()
        for path in self.path.glob("*/*.held"):
            sizes[path.stem] += bytes_of(path.parent / name for name in _lines(path))
        return sizes

    def bytes(self) -> tuple[int, int]:
        """What all files take, and what they may take."""
        taken = bytes_of(snapshot_files(self.path))
        return taken, allowed_bytes(_existing(self.path), self.most)

    def _busy(self) -> StoreError:
        return StoreError(f"another process is writing KV snapshots to {self.path}: try again later")

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(f"KV snapshots cannot be written to {self.path}: {error.strerror}")

    def _of(self, fingerprint: Fingerprint) -> Path:
        return self.path / fingerprint.digest


def _kept(path: Path, fingerprint: Fingerprint, run: Run, extract: Extract) -> int:
    """Write a file unless it is there; its size."""
    if path.exists():
        os.utime(path)
    else:
        cells = extract(run)
        write_whole(path, lambda file: write_snapshot(file, fingerprint, run, cells))
    return path.stat().st_size


def _write_lines(path: Path, names: Iterable[object]) -> None:
    lines = "".join(f"{name}\n" for name in names)
    write_whole(path, lambda file: file.write(lines.encode("ascii")))


def _remove_unheld(folder: Path) -> None:
    """What a death has left half-written goes too: whoever holds the lock is the only one who writes."""
    held = {name for path in folder.glob("*.held") for name in _lines(path)}
    for path in folder.iterdir():
        if path.name not in held and path.suffix != ".held":
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").split()
    except OSError:
        return []


def _existing(path: Path) -> Path:
    """The path, or what exists of it."""
    return next(part for part in (path, *path.parents) if part.exists())
