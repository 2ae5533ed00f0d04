"""Vectors of passages as rows of one matrix, read or made when they are first needed."""

import sqlite3

import numpy as np
from numpy.typing import NDArray

from ctxchat.domain.ports import Embedder
from ctxchat.store.ranking import Floats, Ints, centre, cosines
from ctxchat.store.vectors import vectors_of, without_vectors


class VectorRows:
    """Vectors of passages by their places. A row that was not asked for is zeros, and takes no memory."""

    def __init__(self, serials: Ints) -> None:
        self._serials = serials
        self._known = np.zeros(len(serials), np.bool_)
        self._rows: NDArray[np.float16] = np.zeros((0, 0), np.float16)

    def fill(self, connection: sqlite3.Connection, places: Ints, embedder: Embedder) -> dict[str, bytes]:
        """Know the vectors at these places. Those that had to be made are returned, by the ids of their
        passages, to be kept."""
        wanted = places[~self._known[places]]
        if not len(wanted):
            return {}
        serials = self._serials[wanted].tolist()
        stored = vectors_of(connection, serials, embedder.space)
        missing = without_vectors(connection, serials, embedder.space) if len(stored) < len(serials) else []
        vectors = embedder.embed([passage.text for passage in missing])
        made = {passage.serial: vector for passage, vector in zip(missing, vectors, strict=True)}
        self._set(wanted, [stored.get(serial) or made.get(serial, b"") for serial in serials])
        return {passage.id: made[passage.serial] for passage in missing}

    def likeness(self, places: Ints, query: Floats, common: Floats | float = 0.0) -> Floats:
        """Cosines to a query of the vectors at these places, once what is common is taken away."""
        return cosines(self._rows[places].astype(np.float32), query, common)

    def centre(self, places: Ints) -> Floats:
        """What the vectors at these places, which are known, have in common."""
        return centre(self._rows[places].astype(np.float32))

    def _set(self, places: Ints, vectors: list[bytes]) -> None:
        width = max(map(len, vectors)) // 2
        if not self._rows.size:
            self._rows = np.zeros((len(self._serials), width), np.float16)
        joined = b"".join(vector.ljust(2 * width, b"\0") for vector in vectors)
        self._rows[places] = np.frombuffer(joined, "<f2").reshape(len(vectors), width)
        self._known[places] = True
