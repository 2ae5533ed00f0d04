"""A model file's header, read and checked without touching the weights."""

from pathlib import Path

from ctxchat.engine.gguf.checks import check_kind, check_shape
from ctxchat.engine.gguf.cursor import SeenTexts
from ctxchat.engine.gguf.file_names import other_parts
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.part import read_part


def read_header(path: Path, seen: SeenTexts | None = None) -> GgufHeader:
    """Read the header of a GGUF file, or of the first of several. Raises ModelError where a file
    is missing, unreadable, no GGUF, cut short, damaged, or would bring llama.cpp down. Reading many,
    with what was `seen` in those before, is quicker."""
    first = read_part(path, seen)
    check_kind(path, first.metadata)
    parts = (first, *(read_part(other, seen) for other in other_parts(path, first.metadata)))
    tensors = tuple(tensor for part in parts for tensor in part.tensors)
    header = GgufHeader(path, first.metadata, tensors, parts)
    check_shape(header)
    return header
