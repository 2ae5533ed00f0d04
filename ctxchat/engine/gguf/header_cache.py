"""What the headers of model files said, kept by the size and the times of each file."""

import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from ctxchat import __version__
from ctxchat.domain.errors import StoreError
from ctxchat.domain.model import ModelFile
from ctxchat.engine.gguf.file_names import named_parts
from ctxchat.locations import cache_folder, private_folder

FORMAT = f"{__version__}, 2"
"""What is kept by another version of the program is not used."""

Stamp = list[list[int]]


class HeaderCache:
    """Model files as they were described last. Losing it costs a second of reading."""

    def __init__(self) -> None:
        self._file = cache_folder() / "headers.json"
        self._known = _read(self._file)
        self._used: dict[str, list[object]] = {}

    def described(self, path: Path) -> ModelFile | None:
        """A file as it was described, None where it, or another part of its model, has changed since."""
        stamp = _stamp(path)
        entry = self._known.get(str(path))
        if stamp is None or entry is None or entry[0] != stamp:
            return None
        try:
            described = ModelFile(**entry[1])  # type: ignore[arg-type]
        except TypeError:
            return None
        self._used[str(path)] = entry
        return described

    def keep(self, path: Path, described: ModelFile) -> None:
        stamp = _stamp(path)
        if stamp is not None:
            self._used[str(path)] = [stamp, asdict(described)]

    def save(self) -> None:
        """Write what was asked for and is right. Where that cannot be, headers are read again next time."""
        if self._used == self._known:
            return
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        with suppress(OSError, StoreError):
            private_folder(self._file.parent)
            beside.write_text(json.dumps({"format": FORMAT, "files": self._used}))
            beside.chmod(0o600)
            beside.replace(self._file)


def _read(file: Path) -> dict[str, list[object]]:
    """Entries of two, by path; none where the file is damaged or of another version."""
    try:
        kept = json.loads(file.read_bytes())
        if kept["format"] != FORMAT:
            return {}
        return {path: entry for path, entry in kept["files"].items() if _is_entry(entry)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], dict)


def _stamp(path: Path) -> Stamp | None:
    """Sizes and times of the files of a model, None where one cannot be seen."""
    try:
        seen = [part.stat() for part in named_parts(path)]
    except OSError:
        return None
    return [[one.st_size, one.st_mtime_ns, one.st_ctime_ns] for one in seen]
