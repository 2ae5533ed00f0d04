"""Reads arrays out of a file in the safetensors container: a length, a header in JSON, raw numbers."""

import json
import mmap
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctxchat.domain.errors import ModelError

LENGTH_BYTES = 8
TYPES = {"I8": "<i1", "F16": "<f2", "F32": "<f4", "F64": "<f8"}
"""The types that tables of embeddings are stored in, with numpy's names for them."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file by their names, each a view of the file in memory: what is not looked at
    is not read. Raises ModelError where the file is missing, cut short or damaged."""
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}): reinstall ctxchat") from error
    try:
        return _arrays(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path} is cut short or damaged: reinstall ctxchat") from error


def _arrays(content: mmap.mmap) -> dict[str, NDArray[Any]]:
    begin = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "little")
    if begin > len(content):
        raise ValueError("the header is longer than the file")
    header: Mapping[str, Any] = json.loads(content[LENGTH_BYTES:begin])
    return {
        name: _array(content, begin, told["dtype"], told["shape"], told["data_offsets"])
        for name, told in header.items()
        if name != "__metadata__"
    }


def _array(content: mmap.mmap, begin: int, kind: str, shape: list[int], span: list[int]) -> NDArray[Any]:
    first, end = span
    numbers = np.dtype(TYPES[kind])
    if min(first, *shape, 0) < 0 or end - first != prod(shape) * numbers.itemsize:
        raise ValueError("an array does not fill its place")
    return np.frombuffer(content, numbers, prod(shape), begin + first).reshape(shape)
