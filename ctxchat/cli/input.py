"""What is asked, and about what: words, stdin, files and folders."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ctxchat.context.attachments import Attachment
from ctxchat.domain.errors import UsageError

STDIN = "stdin"
_DASH = "-"
_HEAD_BYTES = 8192


class BinaryInputError(UsageError):
    """The input holds a NUL byte near its beginning: it is no text."""


@dataclass(frozen=True, slots=True)
class Question:
    """The words of a question and what came with it; `warnings` tell how it was read."""

    words: str
    attachments: tuple[Attachment, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    """What reading has shown so far."""

    replaced: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def decode(self, content: bytes, label: str) -> str:
        """Text without its byte order mark, newlines as they are, what is not UTF-8 replaced."""
        content = content.removeprefix(b"\xef\xbb\xbf")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            self.replaced.append(label)
            return content.decode("utf-8", "replace")

    def all_warnings(self) -> tuple[str, ...]:
        if not self.replaced:
            return tuple(self.warnings)
        names = ", ".join(self.replaced)
        return (*self.warnings, f"not valid UTF-8, read with replacement characters: {names}")


def read_question(words: Sequence[str], files: Sequence[str], *, needs_words: bool = True) -> Question:
    """Read all input of a question.

    Text of stdin is the question where there are no words, and else the first attachment. Raises
    UsageError where nothing is asked (unless a prompt file asks it), a file is missing, or input
    is binary.
    """
    reading = _Reading()
    forced = _DASH in words or _DASH in files
    question = " ".join(readable(word) for word in words if word != _DASH)
    piped = _read_stdin(reading) if forced or _stdin_has_text() else ""
    attachments = [
        attachment for name in files if name != _DASH for attachment in _read_path(Path(name), reading)
    ]
    if not question.strip():
        question, piped = piped, ""
    if needs_words:
        require_words(question)
    if piped.strip():
        attachments.insert(0, Attachment(STDIN, piped))
    return Question(question, tuple(attachments), reading.all_warnings())


def require_words(question: str) -> None:
    """Raises UsageError for a question that is blank."""
    if not question.strip():
        raise UsageError("nothing was asked: give a question as words, or on stdin")


def readable(argument: str) -> str:
    """An argument whose bytes were no UTF-8, with replacement characters for them."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _stdin_has_text() -> bool:
    """Whether fd 0 is something that was put there to be read: a pipe, a file or a socket."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _read_stdin(reading: _Reading) -> str:
    try:
        with open(0, "rb", closefd=False) as stream:
            return reading.decode(_read_text_bytes(stream, STDIN), STDIN)
    except OSError as error:
        raise UsageError(f"stdin cannot be read: {error.strerror}") from error


def _read_path(path: Path, reading: _Reading) -> Iterator[Attachment]:
    if path.is_dir():
        yield from _read_folder(path, reading)
    else:
        yield _read_file(path, reading)


def _read_file(path: Path, reading: _Reading) -> Attachment:
    label = readable(str(path))
    try:
        with path.open("rb") as stream:
            return Attachment(label, reading.decode(_read_text_bytes(stream, label), label))
    except OSError as error:
        raise UsageError(f"-f {label}: {error.strerror}") from error


def _read_text_bytes(stream: BinaryIO, label: str) -> bytes:
    """All of a stream; one that is binary is refused before the rest is read."""
    head = stream.read(_HEAD_BYTES)
    if b"\0" in head:
        raise BinaryInputError(f"{label} is binary (it holds a NUL byte): only text can be asked about")
    return head + stream.read()


def _read_folder(folder: Path, reading: _Reading) -> Iterator[Attachment]:
    """Every text file below a folder, in order of its path."""
    left_out: list[Path] = []
    read = 0
    for path in _walk(folder, left_out):
        try:
            yield _read_file(path, reading)
            read += 1
        except UsageError:
            left_out.append(path)
    if not read:
        raise UsageError(f"-f {readable(str(folder))}: no text file in this folder")
    if left_out:
        reading.warnings.append(_left_out(folder, left_out))


def _walk(folder: Path, left_out: list[Path]) -> Iterator[Path]:
    """Plain files below a folder, sorted; what is hidden, or no plain file, is noted as left out.
    Links to folders are not followed: they may lead anywhere, or around."""
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError:
        entries = []
        left_out.append(folder)
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield from _walk(entry, left_out)
        elif entry.is_file() and not entry.name.startswith("."):
            yield entry
        else:
            left_out.append(entry)


def _left_out(folder: Path, paths: Iterable[Path]) -> str:
    names = ", ".join(sorted(readable(str(path.relative_to(folder))) for path in paths))
    return f"-f {readable(str(folder))}: hidden, binary or unreadable, and left out: {names}"
