"""Writes GGUF headers by hand, right ones and wrong ones, with a sparse file for the tensors."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctxchat.engine.gguf.types import TENSOR_TYPES

U8, I32, U32, F32, BOOL, TEXT, ARRAY, U64 = 0, 5, 4, 6, 7, 8, 9, 10
_FORMS = {U8: "<B", I32: "<i", U32: "<I", F32: "<f", BOOL: "<?", U64: "<Q"}

LLAMA: Mapping[str, object] = {
    "general.architecture": "llama",
    "general.name": "A model",
    "general.file_type": 3,
    "llama.context_length": 4096,
    "llama.embedding_length": 576,
    "llama.block_count": 30,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
}
"""The shape of SmolLM2."""


@dataclass(frozen=True)
class Packed:
    """A value with the type it is written as."""

    kind: int
    value: object


@dataclass(frozen=True)
class Tensor:
    name: str
    dims: tuple[int, ...]
    type: int = 0
    offset: int | None = None


def write_gguf(
    path: Path,
    metadata: Mapping[str, object] = LLAMA,
    tensors: Sequence[Tensor] = (),
    *,
    magic: bytes = b"GGUF",
    version: int = 3,
    missing: int = 0,
) -> Path:
    """Write a file whose tensors are zeros, `missing` bytes short of whole."""
    begin = magic + struct.pack("<IQQ", version, len(tensors), len(metadata))
    header = begin + b"".join(packed_text(key) + _typed(value) for key, value in metadata.items())
    offset = 0
    for tensor in tensors:
        placed = offset if tensor.offset is None else tensor.offset
        header += packed_text(tensor.name) + struct.pack("<I", len(tensor.dims))
        header += struct.pack(f"<{len(tensor.dims)}QIQ", *tensor.dims, tensor.type, placed)
        offset += _padded(_size(tensor))
    path.write_bytes(header)
    if tensors:
        with path.open("r+b") as file:
            file.truncate(_padded(len(header)) + offset - missing)
    return path


def packed_text(text: str | bytes) -> bytes:
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _typed(value: object) -> bytes:
    if isinstance(value, Packed):
        return struct.pack("<I", value.kind) + _bare(value.kind, value.value)
    if isinstance(value, list | tuple):
        kind = _kind(value[0]) if value else U32
        items = b"".join(_bare(kind, item) for item in value)
        return struct.pack("<IIQ", ARRAY, kind, len(value)) + items
    return struct.pack("<I", _kind(value)) + _bare(_kind(value), value)


def _kind(value: object) -> int:
    kinds = {bool: BOOL, int: U32, float: F32, str: TEXT, bytes: TEXT}
    return kinds[type(value)]


def _bare(kind: int, value: object) -> bytes:
    if kind == TEXT:
        return packed_text(value)  # type: ignore[arg-type]
    return value if isinstance(value, bytes) else struct.pack(_FORMS[kind], value)


def _size(tensor: Tensor) -> int:
    kind = TENSOR_TYPES.get(tensor.type)
    rows = 1
    for dim in tensor.dims[1:]:
        rows *= dim
    return kind.row(tensor.dims[0] if tensor.dims else 1) * rows if kind else 0


def _padded(size: int) -> int:
    return -(-size // 32) * 32
