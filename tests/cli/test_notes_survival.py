"""Notes through kills, full disks and two writers at once: what was acknowledged is there."""

import json
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Ran

pytestmark = pytest.mark.model
Run = Callable[..., Ran]


def write_texts(folder: Path, files: int, paragraphs: int = 3) -> None:
    folder.mkdir()
    for number in range(files):
        lines = (f"Paragraph {part} of {folder.name}{number}. " + "x" * 900 for part in range(paragraphs))
        (folder / f"{number}.txt").write_text("\n\n".join(lines))


def notes_of(run: Run) -> dict[str, int]:
    """How many notes each file has."""
    counted: dict[str, int] = {}
    for note in json.loads(run("notes", "list", "--json").stdout):
        path = note["source"].rpartition(":")[0]
        counted[path] = counted.get(path, 0) + 1
    return counted


def agrees(run: Run) -> bool:
    findings = {finding["check"]: finding for finding in json.loads(run("doctor", "--json").stdout)}
    return bool(findings["notes"]["ok"])


def start(environment: dict[str, str], home: Path, *words: str) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *words], env=environment, cwd=home, text=True, **pipes)


def test_two_processes_add_at_once_and_nothing_is_lost(
    run: Run, environment: dict[str, str], home: Path
) -> None:
    write_texts(home / "a", 400)
    write_texts(home / "b", 400)
    writers = [start(environment, home, "notes", "add", name) for name in ("a", "b")]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [("", 0), ("", 0)]
    counted = notes_of(run)
    assert len(counted) == 800
    assert set(counted.values()) == {3}
    assert agrees(run)


def test_a_kill_in_the_middle_of_an_addition_leaves_whole_documents_and_the_next_one_goes_on(
    run: Run, environment: dict[str, str], home: Path
) -> None:
    write_texts(home / "first", 1)
    write_texts(home / "a", 900)
    run("notes", "add", "first")
    index = next((home / "data" / "ctxchat" / "chroma").iterdir())
    writer = start(environment, home, "notes", "add", "a")
    while (index / "sealed").exists():
        assert writer.poll() is None
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    counted = notes_of(run)
    assert str(home / "first" / "0.txt") in counted
    assert set(counted.values()) == {3}
    assert not agrees(run)
    again = run("notes", "add", "a")
    assert again.returncode == 0
    assert "left unfinished" in again.stderr
    assert "no note is lost" in again.stderr
    assert len(notes_of(run)) == 901
    assert agrees(run)


@pytest.mark.parametrize("room", [0, 1_000_000])
def test_a_full_disk_is_said_and_what_was_added_stays(
    run: Run, environment: dict[str, str], home: Path, room: int
) -> None:
    """A limit on the size of files stands in for a disk with `room` bytes left."""
    write_texts(home / "first", 1)
    write_texts(home / "a", 600)
    run("notes", "add", "first")
    limit = max(path.stat().st_size for path in (home / "data").rglob("*.sqlite3")) + room
    ended = subprocess.run(
        [*COMMAND, "notes", "add", "a"],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert ended.returncode == 6, ended.stderr
    assert ended.stderr.startswith("ctxchat: ")
    assert ended.stderr.count("\n") == 1
    counted = notes_of(run)
    assert str(home / "first" / "0.txt") in counted
    assert set(counted.values()) == {3}
    assert run("notes", "add", "a").returncode == 0
    assert len(notes_of(run)) == 601
    assert agrees(run)
