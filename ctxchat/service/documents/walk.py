"""Which files a path means."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ctxchat.domain.errors import UsageError


@dataclass(slots=True)
class Walk:
    """Files below `paths` that were named, in order, each once and by its absolute path.

    `folders` are those that were walked; `left_out` what is hidden in them, or no plain file, with
    links to folders: those may lead anywhere, or around.
    """

    files: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)


def walk(paths: list[Path]) -> Walk:
    """Raises UsageError where one does not exist, or cannot be listed."""
    found = Walk()
    for path in paths:
        try:
            if path.is_dir():
                found.folders.append(path)
                found.files += _below(path, found.left_out)
            elif path.exists() and not path.is_file():
                raise UsageError(f"{path} is no plain file: pipe its text to ctxchat notes add -")
            else:
                path.open("rb").close()
                found.files.append(path)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error
    found.files = list(dict.fromkeys(found.files))
    return found


def _below(folder: Path, left_out: list[Path]) -> Iterator[Path]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            left_out.append(entry)
        elif entry.is_dir() and not entry.is_symlink():
            try:
                yield from _below(entry, left_out)
            except OSError:
                left_out.append(entry)
        elif entry.is_file():
            yield entry
        else:
            left_out.append(entry)
