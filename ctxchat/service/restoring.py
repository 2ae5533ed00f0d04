"""Bringing back from disk what a prompt begins with."""

from collections.abc import Sequence

from ctxchat.domain.ports import Model
from ctxchat.service.turn import Turn


def restore(turn: Turn, model: Model, ids: Sequence[int], limit: int) -> None:
    """Fill the chat's cells from disk as far as `ids` go beyond them, with room for an answer of up to
    `limit` tokens; what came back, and how long that took, is noted in the turn. Raises ModelError."""
    if model.cache is None:
        return
    began = turn.watch.clock.seconds()
    turn.restoration = turn.restoration.then(model.cache.restore(ids, limit))
    turn.watch.restoring += turn.watch.clock.seconds() - began
