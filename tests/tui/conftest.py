"""Chats over a scripted model and a temporary store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chats import Chats
from tests.support.quick_textual import parsed_once_and_drawn_at_rest


@pytest.fixture(autouse=True)
def quick_textual() -> Iterator[None]:
    with parsed_once_and_drawn_at_rest():
        yield


@pytest.fixture
def chats(home: Path) -> Chats:
    folder = home / "chats"
    folder.mkdir()
    return Chats(folder)
