"""Which server answers, and how it is reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """A server as a person named it.

    name: what stands behind `server:`, empty for the only one
    url: as it was written, with or without `/v1` or the whole path of the chat
    model: the server's name of the model, None for the only one it lists
    key: sent as a bearer token, and shown nowhere
    headers: sent with every request, and shown nowhere: they may hold a key too
    timeout: seconds without a byte before the first token
    window: what the person set, in tokens
    vocabulary: a GGUF file whose vocabulary and chat template are the server's
    cache_folder: what was found out about the server is kept there
    """

    name: str
    url: str
    model: str | None
    key: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    timeout: float
    window: int | None
    vocabulary: str | None
    cache_folder: Path
