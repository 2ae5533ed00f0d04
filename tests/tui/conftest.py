"""Chats over a scripted model and a temporary store."""

from pathlib import Path

import pytest

from tests.support.chats import Chats


@pytest.fixture
def chats(home: Path) -> Chats:
    folder = home / "chats"
    folder.mkdir()
    return Chats(folder)
