"""The program as a person runs it: a process of its own, in an empty home."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxchat import locations
from ctxchat.service import wiring
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database

Ran = subprocess.CompletedProcess[str]
COMMAND = [sys.executable, "-m", "ctxchat"]


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """What a child process sees: the empty home, nothing of ours, one thread."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CTXCHAT_")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2]), "CTXCHAT_MODEL_THREADS": "1"}


@pytest.fixture
def record(home: Path) -> Iterator[SqliteConversations]:
    """The record that the program in this home has."""
    database = Database(locations.data_folder() / wiring.STORE_FILE)
    yield SqliteConversations(database)
    database.close()


@pytest.fixture
def run(home: Path, environment: dict[str, str]) -> Callable[..., Ran]:
    """Run `ctxchat` in the home. `stdin` is bytes for a pipe, or a file; without it, /dev/null."""

    def call(*words: str, stdin: bytes | int = subprocess.DEVNULL, **variables: str) -> Ran:
        piped = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        ended = subprocess.run(
            [*COMMAND, *words],
            env=environment | variables,
            cwd=home,
            capture_output=True,
            check=False,
            timeout=60,
            **piped,
        )
        return Ran(words, ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    return call
