"""`config` shows where values came from, and edits the person's file."""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.settings.example import example_toml
from ctxchat.settings.schema import KEYS
from tests.cli.conftest import Ran

Run = Callable[..., Ran]


@pytest.fixture
def user_file(home: Path) -> Path:
    return home / "config/ctxchat/config.toml"


def test_path_is_the_user_file_existing_or_not(run: Run, user_file: Path) -> None:
    assert run("config", "path").stdout == f"{user_file}\n"
    assert run("config", "path", CTXCHAT_CONFIG="/else/where.toml").stdout == "/else/where.toml\n"
    assert not user_file.parent.exists()


def test_show_lists_every_key_with_its_value_and_origin(run: Run, home: Path) -> None:
    (home / "ctxchat.toml").write_text("[sampling]\ntop_k = 7\n")
    shown = json.loads(run("config", "show", "--json", CTXCHAT_KV_TYPE_K="q8_0").stdout)
    assert [entry["key"] for entry in shown] == list(KEYS)
    found = {entry["key"]: (entry["value"], entry["origin"]) for entry in shown}
    assert found["sampling.top_k"] == (7, f"{home / 'ctxchat.toml'}:2")
    assert found["kv.type_k"] == ("q8_0", "CTXCHAT_KV_TYPE_K")
    assert found["model.path"] == (None, "default")
    table = run("config", "show").stdout
    assert table.splitlines()[0].split() == ["key", "value", "origin"]
    assert f"{home / 'ctxchat.toml'}:2" in table


@pytest.mark.parametrize(
    "words", [["config", "show"], ["config", "check"], ["ask", "hi"], ["models", "list"]], ids=str
)
def test_every_command_that_needs_settings_exits_2_with_the_line(
    run: Run, home: Path, words: list[str]
) -> None:
    (home / "ctxchat.toml").write_text("[model]\ntreads = 1\n")
    ended = run(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f'{home / "ctxchat.toml"}:2: model.treads: unknown key; did you mean "threads"?\n'


def test_check_names_the_files_that_are_fine(run: Run, home: Path) -> None:
    assert run("config", "check").stdout == ""
    (home / "ctxchat.toml").write_text("")
    assert run("config", "check").stdout == f"{home / 'ctxchat.toml'}: ok\n"


def editor(folder: Path, body: str) -> str:
    """A command that runs a script with the file it is to edit."""
    script = folder / "editor.py"
    script.write_text(f"import sys, pathlib\nfile = pathlib.Path(sys.argv[1])\n{body}\n")
    return f"{sys.executable} {script}"


def test_edit_makes_the_file_from_the_example_for_the_person_alone(
    run: Run, home: Path, user_file: Path
) -> None:
    ended = run("config", "edit", EDITOR="false", VISUAL=editor(home, "assert file.read_text()"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert user_file.read_text() == example_toml()
    assert stat.S_IMODE(user_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(user_file.parent.stat().st_mode) == 0o700


def test_edit_checks_what_was_written(run: Run, home: Path, user_file: Path) -> None:
    ended = run("config", "edit", EDITOR=editor(home, "file.write_text('[kv]\\ntype_k = 1\\n')"), VISUAL="")
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{user_file}:2: kv.type_k: ")


@pytest.mark.parametrize("command", ["no-such-editor-here", "false", "'"])
def test_an_editor_that_fails_is_told_in_one_line(run: Run, command: str) -> None:
    ended = run("config", "edit", EDITOR=command, VISUAL="")
    assert ended.returncode == 2
    assert "editor" in ended.stderr
    assert ended.stderr.count("\n") == 1
