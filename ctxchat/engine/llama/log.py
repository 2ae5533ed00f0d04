"""What llama.cpp says while it works: kept, never printed."""

import re
from collections import deque

DEBUG, ERROR, CONTINUED = 1, 4, 5

KV_SIZE = re.compile(r"^llama_kv_cache: +size = +([\d.]+) MiB")
STATE_SIZE = re.compile(r"^llama_memory_recurrent: +size = +([\d.]+) MiB")
COMPUTE_SIZE = re.compile(r"(?:compute|output) buffer size = +([\d.]+) MiB")
BUFFER = re.compile(r"(\S+) +(?:model|KV|RS|compute|output) buffer size = +([\d.]+) MiB")
PREFIX = re.compile(r"^\w+: +")
MEBIBYTE = 1 << 20


class LlamaLog:
    """The lines since the last `clear`, the newest thousand of them.

    llama.cpp reports why a model cannot be opened, and how much memory it took, nowhere else.
    """

    def __init__(self) -> None:
        self._lines: deque[tuple[int, str]] = deque(maxlen=1000)

    def receive(self, level: int, text: bytes, _: object) -> None:
        """Called by llama.cpp, from any of its threads."""
        if level == DEBUG:
            return
        line = text.decode("utf-8", "replace").strip()
        if level == CONTINUED and self._lines:
            level, begun = self._lines.pop()
            line = begun + line
        self._lines.append((level, line))

    def clear(self) -> None:
        self._lines.clear()

    def first_error(self) -> str | None:
        """The first error: the later ones only say which function gave up because of it."""
        return next(iter(self._errors()), None)

    def last_error(self) -> str | None:
        return next(reversed(self._errors()), None)

    def kv_bytes(self) -> tuple[int, int]:
        """Bytes of the cells allocated, and by how much the figures printed may be off."""
        sizes = self._sizes(KV_SIZE)
        return sum(sizes), len(sizes) * MEBIBYTE // 100

    def state_bytes(self) -> int:
        """Bytes of recurrent states, which do not grow with the tokens."""
        return sum(self._sizes(STATE_SIZE))

    def compute_bytes(self) -> int | None:
        """Bytes of the buffers that hold intermediate results, None where none were reported."""
        return sum(self._sizes(COMPUTE_SIZE)) or None

    def buffers(self) -> dict[str, int]:
        """Bytes allocated, by the kind of memory they lie in, whose names begin with their device's."""
        sizes: dict[str, int] = {}
        for _, line in tuple(self._lines):
            if match := BUFFER.search(line):
                sizes[match[1]] = sizes.get(match[1], 0) + round(float(match[2]) * MEBIBYTE)
        return sizes

    def refused(self) -> bool:
        """Whether memory was refused."""
        return any(word in line.lower() for line in self._errors() for word in ("alloc", "out of memory"))

    def _sizes(self, pattern: re.Pattern[str]) -> list[int]:
        found = (pattern.search(line) for _, line in tuple(self._lines))
        return [round(float(match[1]) * MEBIBYTE) for match in found if match]

    def _errors(self) -> list[str]:
        return [PREFIX.sub("", line) for level, line in tuple(self._lines) if level == ERROR and line]


LOG = LlamaLog()
