"""A settings file as values with the line each stands on."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ctxchat.domain.errors import SettingsError

_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]")
_ASSIGNMENT = re.compile(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=")
_MULTILINE = re.compile("\"\"\"|'''")


def read_toml(file: Path) -> tuple[Mapping[str, object], Mapping[str, int]]:
    """The values of a TOML file, and the line of each name (`section`, `section.key`)."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise SettingsError(f"{file}: no such file; CTXCHAT_CONFIG names it") from error
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{file}:{line}: is not UTF-8") from error
    try:
        return tomllib.loads(text), dict(_lines(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}:{_error_line(text, error)}: {error}") from error


def _error_line(text: str, error: tomllib.TOMLDecodeError) -> int:
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) if found else text.count("\n") + 1


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Names and where they stand. tomllib keeps no lines, so headers and assignments are looked
    for, outside of texts that run over several lines."""
    section = ""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if not inside:
            if header := _HEADER.match(line):
                section = _plain(header[1])
                yield section, number
            elif assignment := _ASSIGNMENT.match(line):
                yield f"{section}.{_plain(assignment[1])}".lstrip("."), number
        inside ^= len(_MULTILINE.findall(line)) % 2 == 1


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
