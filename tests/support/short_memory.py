"""A host that has room for so many bytes of cells beside a model that is loaded."""

import pytest

from ctxchat.engine.llama.fitting import host_room
from ctxchat.engine.llama.fitting.choice import HOST_MARGIN
from ctxchat.engine.llama.model import LlamaModel


def leave(patch: pytest.MonkeyPatch, model: LlamaModel, cells: int) -> None:
    """Let the host have room for so many bytes of cells."""
    assert model.cache.room
    free = HOST_MARGIN + model.cache.room.weights + cells
    patch.setattr(host_room, "available_memory", lambda: free)
