"""The nearest vectors by looking at all of them."""

from collections.abc import Iterable, Sequence

from ctxchat.store.notes import Near, matrix


def nearest_of(batches: Iterable[Sequence[tuple[str, bytes]]], vector: bytes, limit: int) -> list[Near]:
    """The nearest first, of batches of ids and unit vectors in float16."""
    import numpy as np

    query = matrix([vector])[0]
    best: list[Near] = []
    for batch in batches:
        distances = 1 - matrix([stored for _, stored in batch]) @ query
        farthest = np.partition(distances, limit - 1)[limit - 1] if limit < len(batch) else np.inf
        within = np.flatnonzero(distances <= farthest).tolist()
        best = sorted([*best, *(Near(float(distances[n]), batch[n][0]) for n in within)])[:limit]
    return best
