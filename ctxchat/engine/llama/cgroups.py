"""What the control groups that this process is in leave it of memory: a container's limit is one of them."""

from collections.abc import Iterator
from pathlib import Path

OWN_GROUPS = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")
_NAMES = {
    2: (("memory.max", "memory.high"), "memory.current", ("inactive_file", "active_file")),
    1: (("memory.limit_in_bytes",), "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
}
"""By the version of control groups: the files with limits, that with what is used, and what of it are pages
of files, which are given back at need."""


def memory_left() -> int | None:
    """Bytes that no limit stands against, None where there is no limit."""
    return min((left for version, folder in _folders() for left in _left(version, folder)), default=None)


def _folders() -> Iterator[tuple[int, Path]]:
    """The folders of our own groups, and of those around them. What a container calls its group may lie
    outside of what it sees: then the topmost is its own."""
    for line in read(OWN_GROUPS).splitlines():
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        version = 1 if controllers else 2
        top = GROUPS / "memory" if controllers else GROUPS
        own = top / path.strip("/")
        yield from ((version, folder) for folder in (own, *own.parents) if folder.is_relative_to(top))


def _left(version: int, folder: Path) -> Iterator[int]:
    limits, used_name, of_files = _NAMES[version]
    used = read(folder / used_name).strip()
    if not used.isdecimal():
        return
    rows = (line.split() for line in read(folder / "memory.stat").splitlines())
    given_back = sum(int(row[1]) for row in rows if len(row) == 2 and row[0] in of_files)
    for name in limits:
        limit = read(folder / name).strip()
        if limit.isdecimal():
            yield max(0, int(limit) - int(used) + given_back)


def read(path: Path) -> str:
    """What a file of the system says, nothing where there is none."""
    try:
        return path.read_text()
    except OSError:
        return ""
