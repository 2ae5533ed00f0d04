"""The nearest vectors by looking at all of them."""

import heapq
from collections.abc import Iterable, Sequence

from ctxchat.store.notes import Near, matrix


def nearest_of(batches: Iterable[Sequence[tuple[str, bytes]]], vector: bytes, limit: int) -> list[Near]:
    """The nearest first, of batches of ids and unit vectors in float16."""
    query = matrix([vector])[0]
    best: list[Near] = []
    for batch in batches:
        distances = 1 - matrix([stored for _, stored in batch]) @ query
        near = (Near(float(distance), id_) for distance, (id_, _) in zip(distances, batch, strict=True))
        best = heapq.nsmallest(limit, [*best, *near])
    return best
