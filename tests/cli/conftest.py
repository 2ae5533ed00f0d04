"""The program as a person runs it: a process of its own, in an empty home."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxchat import locations
from ctxchat.service import wiring
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.conftest import ROOT
from tests.support.ready_program import Ran, ReadyProgram

Run = Callable[..., Ran]
COMMAND = [sys.executable, "-m", "ctxchat"]


@pytest.fixture(scope="session")
def ready_program() -> Iterator[ReadyProgram]:
    program = ReadyProgram()
    yield program
    program.close()


def variables(home: Path) -> dict[str, str]:
    """The home's folders, nothing of ours, one thread."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CTXCHAT_")}
    kinds = ("CONFIG", "DATA", "STATE", "CACHE")
    folders = {"HOME": str(home)} | {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in kinds}
    return kept | folders | {"PYTHONPATH": str(ROOT), "CTXCHAT_MODEL_THREADS": "1"}


@pytest.fixture(scope="session")
def vocabularies(tmp_path_factory: pytest.TempPathFactory, ready_program: ReadyProgram) -> Path:
    """What the program keeps of SmolLM2's vocabulary: comparing both tokenizers takes a second, and how
    they are compared is tested where it is done."""
    home = tmp_path_factory.mktemp("vocabularies")
    ready_program.run(("plan", "hello"), subprocess.DEVNULL, variables(home), home)
    return home / "cache" / "ctxchat" / "vocabularies"


@pytest.fixture
def environment(home: Path, vocabularies: Path) -> dict[str, str]:
    """What a child process sees: the empty home, where it is known that vocabularies agree."""
    if vocabularies.is_dir():
        cache = locations.private_folder(locations.cache_folder())
        shutil.copytree(vocabularies, cache / vocabularies.name)
    return variables(home)


@pytest.fixture
def never_used(home: Path, environment: dict[str, str]) -> None:
    """A home in which the program never ran, and knows nothing of any vocabulary."""
    shutil.rmtree(home / "cache", ignore_errors=True)


@pytest.fixture
def record(home: Path) -> Iterator[SqliteConversations]:
    """The record that the program in this home has."""
    database = Database(locations.data_folder() / wiring.STORE_FILE)
    yield SqliteConversations(database)
    database.close()


@pytest.fixture
def run(home: Path, environment: dict[str, str], ready_program: ReadyProgram, run_anew: Run) -> Run:
    """Run `ctxchat` in the home. `stdin` is bytes for a pipe, or a file; without it, /dev/null."""

    def call(*words: str, stdin: bytes | int = subprocess.DEVNULL, **variables: str) -> Ran:
        return ready_program.run(words, stdin, environment | variables, home)

    # On a Mac what was loaded need not work in a fork.
    return call if sys.platform == "linux" else run_anew


@pytest.fixture
def run_anew(home: Path, environment: dict[str, str]) -> Run:
    """The same from the very start of a process, where it matters what is imported, and when."""

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
