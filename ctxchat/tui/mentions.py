"""Files that are named in a question: `@path`, with a backslash before each space of the path."""

import re
from collections.abc import Iterator
from pathlib import Path

BEGUN = re.compile(r"(?:^|(?<=\s))@((?:\\.|[^\s\\])*)$")
"""A path that is being written at the end of a line."""
_MENTION = re.compile(r"(?:^|(?<=\s))@((?:\\.|[^\s\\])+)")
_ESCAPED = re.compile(r"\\(.)")
_PATH_LIKE = re.compile(r"^[~.]?/|/.*\.\w+$|^[\w-]+\.\w{1,5}$")


def mentioned(text: str) -> Iterator[str]:
    """The paths that are named in a text, each once, without the punctuation that may follow one."""
    named = dict.fromkeys(found[1].rstrip(".,;:!?)") for found in _MENTION.finditer(text))
    return (plain(name) for name in named if name)


def plain(word: str) -> str:
    """A path as it is on disk."""
    return _ESCAPED.sub(r"\1", word)


def escaped(path: str) -> str:
    """A path as it is written behind `@`."""
    return re.sub(r"([\s\\])", r"\\\1", path)


def looks_like_a_path(name: str) -> bool:
    """Whether nothing but a file can be meant: where it is missing, the person is told."""
    return _PATH_LIKE.search(name) is not None


def present(name: str) -> bool:
    """Whether there is something of this path."""
    try:
        return Path(name).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False
