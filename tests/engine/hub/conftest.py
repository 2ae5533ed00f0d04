"""A hub on loopback, and pulls from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.domain.pulling import PullEvent
from ctxchat.engine.hub.puller import HubPuller
from tests.support.header_writer import LLAMA, Tensor, write_gguf
from tests.support.hub import Hub, running_hub
from tests.support.pulls import GB, Pull


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        yield hub


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A model of half a megabyte."""
    return write_gguf(tmp_path / "content", LLAMA, [Tensor("t", (128, 1024))]).read_bytes()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def pull(home: Path, hub: Hub, waits: list[float]) -> Pull:
    """Pulls into the home's `models`, without waiting, with so much memory free."""

    def call(reference: str, free: int | None = 8 * GB, *, offline: bool = False) -> list[PullEvent]:
        puller = HubPuller(home / "models", lambda: free, offline, hub.endpoint, waits.append)
        return list(puller.pull(reference))

    return call
