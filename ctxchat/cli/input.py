"""What is asked, and about what: words, stdin, files and folders."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from ctxchat.cli.reading import Reading
from ctxchat.context.attachments import Attachment
from ctxchat.domain.errors import UsageError

STDIN = "stdin"
_DASH = "-"


@dataclass(frozen=True, slots=True)
class Question:
    """The words of a question, text and tables (`data`) that came with it; `warnings` tell how it
    was read."""

    words: str
    attachments: tuple[Attachment, ...] = ()
    data: tuple[Attachment, ...] = ()
    warnings: tuple[str, ...] = ()


def read_question(
    words: Sequence[str],
    files: Sequence[str],
    tables: Sequence[str] = (),
    *,
    needs_words: bool = True,
    condenses: bool = True,
) -> Question:
    """Read all input of a question.

    Text of stdin is the question where there are no words, and else the first attachment. What is
    too long to be held is condensed while it is read. Raises UsageError where nothing is asked
    (unless a prompt file asks it), a file is missing, or input is binary, and PromptTooLargeError
    where nothing `condenses` what is too long.
    """
    _check_stdin(words, files, tables)
    reading = Reading(condenses)
    question = " ".join(readable(word) for word in words if word != _DASH)
    data = tuple(_read_table(name, reading) for name in tables)
    forced = _DASH in words or _DASH in files
    read = forced or (_DASH not in tables and stdin_has_text())
    piped = _read_stdin(reading, question) if read else Attachment(STDIN, "")
    if not question.strip():
        question, piped = piped.text, Attachment(STDIN, "")
    if needs_words:
        require_words(question)
    attachments = [piped] if piped.text.strip() else []
    for name in files:
        if name != _DASH:
            attachments += _read_path(Path(name), reading, question)
    return Question(question, tuple(attachments), data, reading.all_warnings())


def read_attached(words: Sequence[str], files: Sequence[str], tables: Sequence[str]) -> Question:
    """Read what rides with a question that is yet to be written: text of stdin is attached, whether
    there are words or not. Raises as `read_question` does."""
    question = read_question(words, files, tables, needs_words=False)
    if any(word != _DASH for word in words) or not question.words.strip():
        return question
    piped = Attachment(STDIN, question.words)
    return replace(question, words="", attachments=(piped, *question.attachments))


def read_path(path: str, question: str, table: bool) -> Question:
    """Read a file, a folder or a table that is attached to a question. Raises UsageError."""
    reading = Reading()
    name = str(Path(path).expanduser())
    if table:
        return Question("", data=(_read_table(name, reading),), warnings=reading.all_warnings())
    attachments = tuple(_read_path(Path(name), reading, question))
    return Question("", attachments=attachments, warnings=reading.all_warnings())


def _check_stdin(words: Sequence[str], files: Sequence[str], tables: Sequence[str]) -> None:
    """Raises UsageError where stdin is asked for twice."""
    uses = tables.count(_DASH) + (_DASH in words or _DASH in files)
    if uses > 1:
        raise UsageError("stdin can be read once: `-` is either text, or a table for --data")


def require_words(question: str) -> None:
    """Raises UsageError for a question that is blank."""
    if not question.strip():
        raise UsageError("nothing was asked: give a question as words, or on stdin")


def readable(argument: str) -> str:
    """An argument whose bytes were no UTF-8, with replacement characters for them."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def stdin_has_text() -> bool:
    """Whether fd 0 is something that was put there to be read: a pipe, a file or a socket."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _read_stdin(reading: Reading, question: str) -> Attachment:
    with _stdin() as stream:
        return reading.attachment(stream, STDIN, question if question.strip() else None)


@contextmanager
def _stdin() -> Iterator[BinaryIO]:
    try:
        with open(0, "rb", closefd=False) as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"stdin cannot be read: {error.strerror}") from error


@contextmanager
def _opened(path: Path, flag: str) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"{flag} {readable(str(path))}: {error.strerror}") from error


def _read_table(name: str, reading: Reading) -> Attachment:
    """A table is read whole, however long: what is asked may need every row of it."""
    label = STDIN if name == _DASH else readable(name)
    with _stdin() if name == _DASH else _opened(Path(name), "--data") as stream:
        return Attachment(label, reading.text(stream, label))


def _read_path(path: Path, reading: Reading, question: str) -> Iterator[Attachment]:
    if path.is_dir():
        yield from _read_folder(path, reading, question)
    else:
        yield _read_file(path, reading, question)


def _read_file(path: Path, reading: Reading, question: str) -> Attachment:
    with _opened(path, "-f") as stream:
        return reading.attachment(stream, readable(str(path)), question)


def _read_folder(folder: Path, reading: Reading, question: str) -> Iterator[Attachment]:
    """Every text file below a folder, in order of its path."""
    left_out: list[Path] = []
    read = 0
    for path in _walk(folder, left_out):
        try:
            yield _read_file(path, reading, question)
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
