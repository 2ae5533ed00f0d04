"""Screens run in the loop of asyncio."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
