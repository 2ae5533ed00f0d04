"""Bytes that were given, as text: of any length, in bounded memory."""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain
from typing import BinaryIO

from ctxchat.context.attachments import Attachment
from ctxchat.display import amounts
from ctxchat.domain.errors import PromptTooLargeError, UsageError

HELD_BYTES = 8_000_000
"""The longest text that is held whole: some two million tokens, more than any window takes, so that
no more of a longer one could be sent than what is left of it after reading."""

_BYTES_A_TOKEN = 4
_HEAD_BYTES = 8192
_CHUNK_BYTES = 1 << 16
_LONGEST_LINE = 1 << 16


class BinaryInputError(UsageError):
    """The input holds a NUL byte near its beginning: it is no text."""


@dataclass(slots=True)
class Reading:
    """Reads texts, and keeps what is to be told of it. Where nothing `condenses`, a text that is too
    long to be held is refused."""

    condenses: bool = True
    replaced: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def text(self, stream: BinaryIO, label: str) -> str:
        """All of a stream, without its byte order mark, newlines as they are, what is not UTF-8
        replaced. Raises BinaryInputError before the rest of it is read."""
        return self._decoded(_head(stream, label) + stream.read(), label)

    def attachment(self, stream: BinaryIO, label: str, question: str | None) -> Attachment:
        """A stream as it is attached: whole, or condensed while it is read where it is too long to
        be held. Raises PromptTooLargeError where that may not be, or it is itself what is asked
        (`question` None)."""
        begin = _head(stream, label)
        begin += stream.read(HELD_BYTES + 1 - len(begin))
        if len(begin) <= HELD_BYTES:
            return Attachment(label, self._decoded(begin, label))
        tokens = HELD_BYTES // _BYTES_A_TOKEN
        longer = f"{label} is longer than {amounts.size(HELD_BYTES)}, some {tokens:,} tokens"
        if not self.condenses:
            raise PromptTooLargeError(
                f"{longer}, and does not fit whole: allow filters (no --no-filter, "
                "no --overflow refuse), or attach a part of it"
            )
        if question is None:
            raise PromptTooLargeError(f"{longer}, too long for a question: ask about it in words beside it")
        return self._condensed(begin, stream, label, question)

    def all_warnings(self) -> tuple[str, ...]:
        if not self.replaced:
            return tuple(self.warnings)
        names = ", ".join(self.replaced)
        return (*self.warnings, f"not valid UTF-8, read with replacement characters: {names}")

    def _decoded(self, content: bytes, label: str) -> str:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            self.replaced.append(label)
            return content.decode("utf-8", "replace")

    def _condensed(self, begin: bytes, stream: BinaryIO, label: str, question: str) -> Attachment:
        from ctxchat.context.filters.stream import condensed

        decoder = _Decoder()
        left = condensed(_lines(decoder.texts(chain(_chunks(BytesIO(begin)), _chunks(stream)))), question)
        if decoder.replaced:
            self.replaced.append(label)
        self.warnings.append(
            f"{label}: {amounts.size(decoder.bytes)} of {left.lines:,} lines were condensed while reading: "
            f"{amounts.size(len(left.text.encode()))} are left"
        )
        return Attachment(label, left.text, condensed_from=left.characters)


class _Decoder:
    """UTF-8 that comes in chunks. `replaced` says whether some of it was not valid, `bytes` counts it."""

    def __init__(self) -> None:
        self.replaced = False
        self.bytes = 0
        self._utf8 = codecs.getincrementaldecoder("utf-8")()

    def texts(self, chunks: Iterable[bytes]) -> Iterator[str]:
        for chunk in chunks:
            self.bytes += len(chunk)
            yield self._text(chunk)
        yield self._text(b"", final=True)

    def _text(self, chunk: bytes, *, final: bool = False) -> str:
        try:
            return self._utf8.decode(chunk, final)
        except UnicodeDecodeError:
            # What it held back before this chunk is still there: only from here on is it lenient.
            self.replaced = True
            self._utf8.errors = "replace"
            return self._utf8.decode(chunk, final)


def _head(stream: BinaryIO, label: str) -> bytes:
    """The beginning of a text, without its byte order mark."""
    head = stream.read(_HEAD_BYTES)
    if b"\0" in head:
        raise BinaryInputError(f"{label} is binary (it holds a NUL byte): only text can be asked about")
    return head.removeprefix(codecs.BOM_UTF8)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: stream.read(_CHUNK_BYTES), b"")


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Lines with their ends; one that is very long comes in parts."""
    rest = ""
    for text in texts:
        *whole, rest = (rest + text).split("\n")
        yield from (f"{line}\n" for line in whole)
        if len(rest) > _LONGEST_LINE:
            yield rest
            rest = ""
    if rest:
        yield rest
