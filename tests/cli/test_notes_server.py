"""A team's Chroma as a person meets it: commands and turns over a real `chroma run`, there and away."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxchat.domain.errors import NotesUnreachableError
from ctxchat.service import wiring
from ctxchat.settings.load import load_settings
from tests.cli.conftest import Ran
from tests.support.chroma_server import RunningChroma, free_port

Run = Callable[..., Ran]
KEY = "s3cret-key"
LISTENED = """
import os, sys
def listen(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect"):
        with open(os.environ["CONNECTIONS"], "a") as file:
            file.write(f"{arguments[1] if event == 'socket.connect' else arguments[:2]}\\n")
sys.addaudithook(listen)
from ctxchat.__main__ import main
main()
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChroma]:
    running = RunningChroma(tmp_path_factory.mktemp("chroma"))
    running.start()
    yield running
    running.kill()


@pytest.mark.model
def test_a_turn_has_the_notes_of_a_server_and_goes_on_without_it(
    run: Run, server: RunningChroma, home: Path
) -> None:
    url = f"http://me:{KEY}@127.0.0.1:{server.port}"
    there = {"CTXCHAT_NOTES_URL": url, "CTXCHAT_NOTES_KEY_ENV": "TEAM_KEY", "TEAM_KEY": KEY}
    (home / "boat.md").write_text("# Boat\n\nThe red boat is moored at the third willow.\n")
    assert run("notes", "add", "boat.md", **there).returncode == 0
    asking = ("ask", "--max-tokens", "2", "--json", "Where is the red boat moored?")
    answered = run(*asking, **there)
    assert [note["collection"] for note in json.loads(answered.stdout)["notes"]] == ["notes"]
    away = there | {"CTXCHAT_NOTES_URL": f"http://me:{KEY}@127.0.0.1:{free_port()}"}
    alone = run(*asking, "--notes", "notes", **away)
    assert (alone.returncode, json.loads(alone.stdout)["notes"]) == (0, [])
    assert alone.stderr.count("cannot be reached") == 1
    assert "; this turn is without notes" in alone.stderr
    assert not any(KEY in text for ran in (answered, alone) for text in (ran.stdout, ran.stderr))


@pytest.mark.model
def test_a_turn_that_is_offline_asks_no_server(run: Run, server: RunningChroma) -> None:
    ended = run("ask", "--offline", "--max-tokens", "2", "Where is the boat?", CTXCHAT_NOTES_URL=server.url)
    assert ended.returncode == 0
    assert "no connection is allowed (--offline); this turn is without notes" in ended.stderr


def test_commands_work_on_the_server_and_say_where_it_cannot_be_asked(
    server: RunningChroma, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: each command is a call of one of these services."""
    server.new_database("commands")
    for name, value in {"URL": server.url, "DATABASE": "commands"}.items():
        monkeypatch.setenv(f"CTXCHAT_NOTES_{name}", value)
    memory, notes = wiring.memory_service(load_settings()), wiring.note_service(load_settings())
    id_ = memory.add("I like tea.")
    assert memory.add("I like tea.") == id_
    assert [(c.name, c.notes, c.where) for c in notes.collections()] == [("memory", 1, server.url)]
    assert [found.hit.passage.id for found in notes.search("tea", [], most=1)] == [id_]
    assert memory.forget(id_).text == "I like tea."
    assert (memory.listing(), notes.collections(), notes.listing(None)) == ([], [], [])
    monkeypatch.setenv("CTXCHAT_NOTES_URL", f"http://127.0.0.1:{free_port()}")
    away = wiring.note_service(load_settings())
    for command in (
        away.collections,
        away.repair,
        lambda: away.search("tea", []),
        lambda: away.listing(None),
    ):
        with pytest.raises(NotesUnreachableError, match="cannot be reached") as told:
            command()
        assert told.value.exit_code == 6


def test_only_the_server_that_is_named_is_asked_and_doctor_says_so(
    server: RunningChroma, home: Path, environment: dict[str, str]
) -> None:
    heard = home / "connections"
    ended = subprocess.run(
        [sys.executable, "-c", LISTENED, "doctor", "--json"],
        env=environment | {"CTXCHAT_NOTES_URL": server.url, "CONNECTIONS": str(heard)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    checks = {check["check"]: check for check in json.loads(ended.stdout)}
    assert checks["notes server"]["ok"], checks["notes server"]
    assert f"texts and vectors of notes go to {server.url}" in checks["notes server"]["seen"]
    asked = [line for line in heard.read_text().splitlines() if "127.0.0.1" not in line]
    assert asked == []
    assert f"('127.0.0.1', {server.port})" in heard.read_text()


@pytest.mark.parametrize(
    ("setting", "value"), [("url", "http://elsewhere"), ("key_env", "HOME"), ("key_command", "touch here")]
)
def test_a_file_that_lies_in_a_folder_names_no_server_and_runs_nothing(
    run: Run, home: Path, setting: str, value: str
) -> None:
    (home / "ctxchat.toml").write_text(f'[notes]\n{setting} = "{value}"\n')
    ended = run("notes", "list")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert f"notes.{setting}: is not taken from a project file" in ended.stderr
    assert not (home / "here").exists()


def test_an_address_that_is_none_is_not_repeated(run: Run) -> None:
    ended = run("notes", "list", CTXCHAT_NOTES_URL=f"chroma://me:{KEY}@host")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert KEY not in ended.stderr
    shown = run("config", "show", "--json", CTXCHAT_NOTES_URL=f"https://me:{KEY}@host/path").stdout
    assert '"https://…@host/path"' in shown
    assert KEY not in shown
