"""Server-sent events, as they come in pieces."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

DONE = b"[DONE]"

Chunk = dict[str, Any]


def chunks_of(pieces: Iterable[bytes]) -> Iterator[Chunk]:
    """The objects of a stream up to its end, so that the connection can be used again. Comments, `[DONE]` and
    other fields are passed over. Raises ValueError for what is no object."""
    for line in _lines(pieces):
        content = line[5:].strip() if line.startswith(b"data:") else b""
        if content and content != DONE:
            chunk = json.loads(content)
            if not isinstance(chunk, dict):
                raise ValueError("a part of the answer is no object")
            yield chunk


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest
