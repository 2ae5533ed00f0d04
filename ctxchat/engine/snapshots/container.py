"""The file that holds the cells of a run of tokens, and the checks it must pass before they are used.

    magic · version · length of the head · head (JSON) · token ids · cells · checksum of all before it

llama.cpp ends the process over a state that is cut short, and takes one with flipped bits without a
word: nothing of a file reaches it before its lengths, its checksum and what it claims to be are
verified.
"""

import json
import os
import struct
import sys
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from ctxchat.engine.snapshots.fingerprint import Fingerprint

VERSION = 1
_MAGIC = b"ctxchat\0"
_BEGIN = struct.Struct("<8sII")
_CHECKSUM = struct.Struct("<I")
_MOST_HEAD = 1 << 16
_ID_BYTES = 4

Ids = tuple[int, ...]


class RefusedError(Exception):
    """A file must not be used; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of tokens in a row of them: `begin` is the place of its first, `parent` names all that
    stands before it."""

    parent: str
    begin: int
    ids: Ids

    @property
    def end(self) -> int:
        return self.begin + len(self.ids)


def write_snapshot(file: BinaryIO, fingerprint: Fingerprint, run: Run, cells: memoryview) -> None:
    """Write the cells of a run."""
    head = json.dumps(
        {
            "fingerprint": asdict(fingerprint),
            "parent": run.parent,
            "begin": run.begin,
            "ids": len(run.ids),
            "cells": len(cells),
        }
    ).encode()
    checksum = 0
    for part in (_BEGIN.pack(_MAGIC, VERSION, len(head)), head, ids_bytes(run.ids), cells):
        checksum = crc32(part, checksum)
        file.write(part)
    file.write(_CHECKSUM.pack(checksum))


def read_run(path: Path, fingerprint: Fingerprint) -> Run:
    """The tokens a file says it holds. Its cells are not looked at. Raises RefusedError."""
    try:
        with path.open("rb") as file:
            head = _read_head(file)
    except OSError as error:
        raise RefusedError(f"it cannot be read ({error.strerror})") from error
    _check_fingerprint(head, fingerprint)
    return head.run


def difference(path: Path, fingerprint: Fingerprint) -> str | None:
    """What sets the fingerprint of a file apart; None where it is the same, or cannot be read."""
    try:
        with path.open("rb") as file:
            return fingerprint.difference(_read_head(file).fingerprint)
    except (OSError, RefusedError):
        return None


def read_cells(path: Path, fingerprint: Fingerprint, run: Run) -> memoryview:
    """The cells of a file, which must be those of this run. Raises RefusedError."""
    try:
        with path.open("rb") as file:
            head = _read_head(file)
            cells = bytearray(head.cells)
            read = file.readinto(cells)
            checksum = file.read(_CHECKSUM.size)
    except OSError as error:
        raise RefusedError(f"it cannot be read ({error.strerror})") from error
    if read != head.cells or len(checksum) != _CHECKSUM.size:
        raise RefusedError("it is cut short")
    if crc32(cells, head.checksum) != _CHECKSUM.unpack(checksum)[0]:
        raise RefusedError("its checksum does not match")
    _check_fingerprint(head, fingerprint)
    if head.run != run:
        raise RefusedError("it holds other tokens")
    return memoryview(cells)


def ids_bytes(ids: Iterable[int]) -> bytes:
    """Token ids as files hold them: 32 bits each, the lowest byte first."""
    packed = array("i", ids)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


@dataclass(frozen=True, slots=True)
class _Head:
    """`cells` counts bytes; `checksum` is that of all before them."""

    fingerprint: Mapping[str, object]
    run: Run
    cells: int
    checksum: int


def _check_fingerprint(head: _Head, fingerprint: Fingerprint) -> None:
    if apart := fingerprint.difference(head.fingerprint):
        raise RefusedError(f"it belongs to {apart}")


def _read_head(file: BinaryIO) -> _Head:
    begin = file.read(_BEGIN.size)
    if len(begin) < _BEGIN.size:
        raise RefusedError("it is cut short")
    magic, version, length = _BEGIN.unpack(begin)
    if magic != _MAGIC:
        raise RefusedError("it is damaged at its beginning")
    if version != VERSION:
        raise RefusedError(f"it is of format {version}, and this program writes {VERSION}")
    if length > _MOST_HEAD:
        raise RefusedError("it is damaged at its beginning")
    head = file.read(length)
    try:
        said = json.loads(head)
        count, cells = int(said["ids"]), int(said["cells"])
        parent, at = str(said["parent"]), int(said["begin"])
        fingerprint = dict(said["fingerprint"])
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as error:
        raise RefusedError("it is damaged at its beginning") from error
    expected = len(begin) + length + _ID_BYTES * count + cells + _CHECKSUM.size
    if count < 1 or cells < 1 or os.fstat(file.fileno()).st_size != expected:
        raise RefusedError("it is cut short, or longer than it says")
    packed = file.read(_ID_BYTES * count)
    ids = tuple(number for (number,) in struct.iter_unpack("<i", packed))
    return _Head(fingerprint, Run(parent, at, ids), cells, crc32(packed, crc32(head, crc32(begin))))
