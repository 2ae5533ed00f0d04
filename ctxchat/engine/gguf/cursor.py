"""Reading the values of a GGUF header one after another, and never past its end."""

import struct
from array import array
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

from ctxchat.domain.errors import ModelError

MAX_HEADER = 1 << 27
"""Bytes a header may have: eight times the longest known, so that what a damaged one claims is
refused before it is walked through."""

MAX_TEXT = 1 << 22
"""Bytes one text may have: the longest chat template known has a tenth of a megabyte."""

MAX_TEXTS = 1 << 25
"""Bytes an array of texts may have: the largest vocabulary known has five megabytes."""

SHORT = 4096
"""Numbers an array may hold to be read at once; llama.cpp knows of no more layers than 512."""

STRIDE = 256
"""Texts between two places noted in an array of texts."""

_LENGTH = struct.Struct("<Q")
_TEXT, _ARRAY = 8, 9
_NUMBERS = {
    kind: struct.Struct("<" + form)
    for kind, form in {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?"}.items()
} | {10: _LENGTH, 11: struct.Struct("<q"), 12: struct.Struct("<d")}

Number = int | float | bool


def damaged(path: Path, why: str) -> ModelError:
    return ModelError(f"{path} is damaged: {why}; download it again")


def cut_short(path: Path, missing: str) -> ModelError:
    return ModelError(f"{path} is cut short: {missing}; download it again")


class Texts:
    """An array of texts left in the file until they are asked for."""

    def __init__(self, source: mmap, marks: "array[int]", count: int) -> None:
        self._source, self._marks, self._count = source, marks, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return (raw.decode("utf-8", "replace") for raw in self.raw())

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < self._count:
            raise IndexError(index)
        block, before = divmod(index, STRIDE)
        at = self._marks[block]
        for _ in range(before):
            at += 8 + _LENGTH.unpack_from(self._source, at)[0]
        (length,) = _LENGTH.unpack_from(self._source, at)
        return self._source[at + 8 : at + 8 + length].decode("utf-8", "replace")

    def raw(self) -> Iterator[bytes]:
        """The texts as they are stored."""
        source, unpack = self._source, _LENGTH.unpack_from
        at = self._marks[0] if self._count else 0
        for _ in range(self._count):
            begin = at + 8
            at = begin + unpack(source, at)[0]
            yield source[begin:at]


class Numbers:
    """A long array of numbers left in the file until they are asked for."""

    def __init__(self, source: mmap, begin: int, count: int, form: struct.Struct) -> None:
        self._source, self._begin, self._count, self._form = source, begin, count, form

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Number]:
        packed = self._source[self._begin : self._begin + self._count * self._form.size]
        return (number for (number,) in self._form.iter_unpack(packed))

    def __getitem__(self, index: int) -> Number:
        if not 0 <= index < self._count:
            raise IndexError(index)
        number: Number = self._form.unpack_from(self._source, self._begin + index * self._form.size)[0]
        return number


class SeenTexts:
    """Arrays of texts that were walked over in other files: most files of a family have the same
    vocabulary, and comparing bytes takes a fraction of the time."""

    def __init__(self) -> None:
        self._by_count: dict[int, list[tuple[bytes, array[int]]]] = {}

    def marks(self, source: mmap, at: int, count: int) -> "tuple[array[int], int] | None":
        """Places of every 256th text, and the end, where the same bytes were walked over."""
        for packed, marks in self._by_count.get(count, ()):
            if source[at : at + len(packed)] == packed:
                return array("Q", (mark + at for mark in marks)), at + len(packed)
        return None

    def keep(self, source: mmap, marks: "array[int]", end: int, count: int) -> None:
        """Remember an array of at least one text."""
        at = marks[0]
        kept = self._by_count.setdefault(count, [])
        kept.append((source[at:end], array("Q", (mark - at for mark in marks))))


class Cursor:
    """A place in the header of a file. Every method raises ModelError where the file does not
    hold what is asked for."""

    def __init__(self, path: Path, source: mmap, seen: SeenTexts | None = None) -> None:
        self.path, self.source, self.at = path, source, 0
        self._seen = seen

    def skip(self, size: int) -> int:
        """Step over so many bytes; where they begin."""
        begin = self.at
        if size > MAX_HEADER - begin:
            raise damaged(self.path, "its header claims to be longer than any is")
        if size > len(self.source) - begin:
            raise cut_short(self.path, "it ends inside its header")
        self.at = begin + size
        return begin

    def u32(self) -> int:
        return int(self._number(_NUMBERS[4]))

    def u64(self) -> int:
        return int(self._number(_LENGTH))

    def text(self) -> str:
        length = self.u64()
        if length > MAX_TEXT:
            raise damaged(self.path, f"a text of {length:,} bytes")
        begin = self.skip(length)
        return self.source[begin : begin + length].decode("utf-8", "replace")

    def value(self) -> object:
        """A value with its type before it: a number, a text, or an array of one of them."""
        kind = self.u32()
        if kind == _TEXT:
            return self.text()
        if kind == _ARRAY:
            return self._array(self.u32(), self.u64())
        return self._number(self._form(kind))

    def _form(self, kind: int) -> struct.Struct:
        if kind not in _NUMBERS:
            raise damaged(self.path, f"a value of type {kind}, which no GGUF has")
        return _NUMBERS[kind]

    def _number(self, form: struct.Struct) -> Number:
        number: Number = form.unpack_from(self.source, self.skip(form.size))[0]
        return number

    def _array(self, kind: int, count: int) -> object:
        if kind == _TEXT:
            return self._texts(count)
        form = self._form(kind)
        numbers = Numbers(self.source, self.skip(count * form.size), count, form)
        return tuple(numbers) if count <= SHORT else numbers

    def _texts(self, count: int) -> Texts | tuple[str, ...]:
        """Step over texts by their lengths."""
        if count * _LENGTH.size > MAX_HEADER - self.at:
            raise damaged(self.path, f"an array of {count:,} texts")
        known = self._seen.marks(self.source, self.at, count) if self._seen and count > STRIDE else None
        marks, self.at = known or self._walk(count)
        if self._seen and count > STRIDE and not known:
            self._seen.keep(self.source, marks, self.at, count)
        texts = Texts(self.source, marks, count)
        return tuple(texts) if count <= STRIDE else texts

    def _walk(self, count: int) -> "tuple[array[int], int]":
        """Places of every 256th text, and where the last one ends."""
        marks, at, unpack, source = array("Q"), self.at, _LENGTH.unpack_from, self.source
        end = min(len(source), MAX_HEADER)
        try:
            for first in range(0, count, STRIDE):
                marks.append(at)
                for _ in range(min(STRIDE, count - first)):
                    at += 8 + unpack(source, at)[0]
        except (struct.error, OverflowError):
            at = end + 1
        if at - self.at > MAX_TEXTS and at <= end:
            raise damaged(self.path, f"an array of {at - self.at:,} bytes of texts")
        if at > end:
            raise cut_short(self.path, "it ends inside its header, or the header is damaged")
        return marks, at
