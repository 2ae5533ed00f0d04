"""The disk that snapshots may take, and which of them go when it is used up."""

import heapq
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ctxchat.engine.snapshots.names import read_name

SHARE_OF_DISK = 0.1
"""What snapshots may take of the disk that is free without them, unless it is set."""


def snapshot_files(folder: Path) -> Iterator[Path]:
    """All files of snapshots, of every fingerprint."""
    return (path for path in folder.glob("*/*") if read_name(path))


def bytes_of(paths: Iterable[Path]) -> int:
    """What files take on disk; one that is gone takes nothing."""
    return sum(_size(path) for path in paths)


def allowed_bytes(folder: Path, most: int | None) -> int:
    """What all snapshots in a folder may take together."""
    if most is not None:
        return most
    free = shutil.disk_usage(folder).free + bytes_of(snapshot_files(folder))
    return int(free * SHARE_OF_DISK)


def make_room(folder: Path, allowed: int) -> None:
    """Remove files until the rest takes no more than is allowed: what was not used for longest goes
    first, and nothing before what stands behind it, which would be of no use without it."""
    files = {path: name for path in snapshot_files(folder) if (name := read_name(path))}
    taken = bytes_of(files)
    if taken <= allowed:
        return
    behind = Counter((path.parent, name.parent) for path, name in files.items())
    by_name = {(path.parent, name.name): path for path, name in files.items()}
    leaves = [_aged(path) for path, name in files.items() if not behind[path.parent, name.name]]
    heapq.heapify(leaves)
    while taken > allowed and leaves:
        _, path = heapq.heappop(leaves)
        taken -= _size(path)
        path.unlink(missing_ok=True)
        parent = (path.parent, files[path].parent)
        behind[parent] -= 1
        if not behind[parent] and parent in by_name:
            heapq.heappush(leaves, _aged(by_name[parent]))


def _aged(path: Path) -> tuple[int, Path]:
    try:
        return path.stat().st_mtime_ns, path
    except OSError:
        return 0, path


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
