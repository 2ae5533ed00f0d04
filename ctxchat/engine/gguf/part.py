"""One GGUF file: its metadata, and where its tensors lie."""

import mmap
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.cursor import Cursor, SeenTexts, cut_short, damaged
from ctxchat.engine.gguf.types import TENSOR_TYPES

MAX_ENTRIES = 1 << 17
"""Keys, and tensors, a file may have; the largest models known have some thousands."""

MAX_VALUES = 1 << 48
_ALIGNMENT = "general.alignment"


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor of a file: `dims` fastest first, `offset` from the beginning of its file."""

    name: str
    dims: tuple[int, ...]
    type: str
    offset: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Part:
    """A file, mapped. `spans` says which bytes each key lies in, value included."""

    path: Path
    source: mmap.mmap
    metadata: Mapping[str, object]
    spans: Mapping[str, tuple[int, int]]
    tensors: tuple[TensorInfo, ...]
    tensors_begin: int


def read_part(path: Path, seen: SeenTexts | None = None) -> Part:
    """Read one file's header. Raises ModelError."""
    cursor = Cursor(path, _map(path), seen)
    tensor_count, key_count = _begin(cursor)
    metadata, spans = _read_metadata(cursor, key_count)
    alignment = _alignment(path, metadata)
    described = [_read_tensor(cursor) for _ in range(tensor_count)]
    begin = -(-cursor.at // alignment) * alignment if described else cursor.at
    tensors = tuple(_placed(tensor, begin) for tensor in described)
    _check_places(path, tensors, begin, alignment)
    _check_complete(path, tensors, len(cursor.source))
    return Part(path, cursor.source, metadata, spans, tensors, begin)


def _map(path: Path) -> mmap.mmap:
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            raise ModelError(f"{path} is a folder, not a model file; name the .gguf file in it")
        if not path.is_file():
            raise ModelError(f"{path} is not a file")
        with path.open("rb") as file:
            if not file.read(1):
                raise ModelError(f"{path} is empty; download it again")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such model file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ModelError(f"{path} cannot be read: {reason}") from error


def _begin(cursor: Cursor) -> tuple[int, int]:
    """Read up to the counts of tensors and keys."""
    magic = cursor.source[:4]
    if magic != b"GGUF":
        raise ModelError(f"{cursor.path} is not a GGUF file: it begins with {magic!r}")
    cursor.skip(4)
    version = cursor.u32()
    if version & 0xFFFF == 0:
        raise ModelError(f"{cursor.path} was written for big-endian machines, which cannot be read here")
    if version not in (2, 3):
        raise ModelError(f"{cursor.path} is GGUF version {version}; versions 2 and 3 can be read")
    counts = cursor.u64(), cursor.u64()
    if max(counts) > MAX_ENTRIES:
        raise damaged(cursor.path, f"it claims {counts[0]:,} tensors and {counts[1]:,} keys")
    return counts


def _read_metadata(cursor: Cursor, count: int) -> tuple[dict[str, object], dict[str, tuple[int, int]]]:
    metadata: dict[str, object] = {}
    spans: dict[str, tuple[int, int]] = {}
    for _ in range(count):
        begin = cursor.at
        key = cursor.text()
        if not key or key in metadata:
            raise damaged(cursor.path, f"the key {key!r} stands twice" if key else "a key without a name")
        metadata[key] = cursor.value()
        spans[key] = begin, cursor.at
    return metadata, spans


def _alignment(path: Path, metadata: Mapping[str, object]) -> int:
    alignment = metadata.get(_ALIGNMENT, 32)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
        raise damaged(path, f"an alignment of {alignment!r} bytes")
    return alignment


def _read_tensor(cursor: Cursor) -> TensorInfo:
    """A tensor's description, its offset still counted from the first tensor."""
    name = cursor.text()
    rank = cursor.u32()
    if rank > 4:
        raise damaged(cursor.path, f"the tensor {name!r} has {rank} dimensions")
    dims = tuple(cursor.u64() for _ in range(rank))
    kind = TENSOR_TYPES.get(number := cursor.u32())
    if kind is None:
        raise damaged(cursor.path, f"the tensor {name!r} is of the unknown type {number}")
    row = dims[0] if dims else 1
    if row % kind.block or prod(dims) > MAX_VALUES or max(dims, default=0) > MAX_VALUES:
        raise damaged(cursor.path, f"the tensor {name!r} of type {kind.name} has the dimensions {dims}")
    return TensorInfo(name, dims, kind.name, cursor.u64(), kind.row(prod(dims)))


def _placed(tensor: TensorInfo, begin: int) -> TensorInfo:
    return TensorInfo(tensor.name, tensor.dims, tensor.type, begin + tensor.offset, tensor.bytes)


def _check_places(path: Path, tensors: tuple[TensorInfo, ...], begin: int, alignment: int) -> None:
    """Tensors lie one behind the other, each at the next aligned place: llama.cpp wants it so."""
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise damaged(path, "two tensors have one name")
    if tensors and tensors[0].offset != begin:
        raise damaged(path, f"its first tensor, {tensors[0].name!r}, lies in the wrong place")
    for before, tensor in pairwise(tensors):
        if tensor.offset != before.offset + -(-before.bytes // alignment) * alignment:
            raise damaged(path, f"the tensor {tensor.name!r} lies in the wrong place")


def _check_complete(path: Path, tensors: tuple[TensorInfo, ...], size: int) -> None:
    end = max((tensor.offset + tensor.bytes for tensor in tensors), default=0)
    if end > size:
        raise cut_short(path, f"{end - size:,} of {end:,} bytes are missing")
