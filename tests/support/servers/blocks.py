"""vLLM's prefix cache, by its numbers alone."""

from collections.abc import Iterator, Sequence

BLOCK = 16


class Blocks:
    """Whole blocks of 16 ids, each known by all ids up to its end."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def cached(self, ids: Sequence[int]) -> int:
        """Of a prompt, how many are found; never all, for one has to be read."""
        found = 0
        for name in self._names(ids[:-1]):
            if name not in self._known:
                break
            found += BLOCK
        return found

    def keep(self, ids: Sequence[int]) -> None:
        self._known.update(self._names(ids))

    def clear(self) -> None:
        self._known.clear()

    def _names(self, ids: Sequence[int]) -> Iterator[int]:
        name = 0
        for end in range(BLOCK, len(ids) + 1, BLOCK):
            name = hash((name, *ids[end - BLOCK : end]))
            yield name
