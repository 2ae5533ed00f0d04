"""The program starts quickly, says what it can do, and ends as the contract says."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat import __version__
from ctxchat.cli import failures
from ctxchat.cli.commands import COMMANDS
from ctxchat.domain.errors import ModelError, SettingsError
from tests.cli.conftest import COMMAND, Ran

Run = Callable[..., Ran]
HEAVY = {
    "textual",
    "chromadb",
    "llama_cpp",
    "numpy",
    "pydantic",
    "rich",
    "jinja2",
    "sqlite3",
    "platformdirs",
    "asyncio",
}


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], *([command, "--help"] for command in COMMANDS)], ids=str
)
def test_help_loads_no_heavy_library(words: list[str], home: Path) -> None:
    script = "import sys, atexit; atexit.register(lambda: print('\\0', *sys.modules))\n"
    script += f"sys.argv = ['ctxchat', *{words}]\nfrom ctxchat.cli.process import run; run()"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    shown, _, modules = ended.stdout.partition("\0")
    assert shown
    assert "ctxchat.cli.main" in modules.split()
    assert HEAVY & set(modules.split()) == set()


def test_alone_it_prints_the_help_and_succeeds(run: Run) -> None:
    alone, asked = run(), run("--help")
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout == asked.stdout
    for command in COMMANDS:
        assert f"  {command} " in alone.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help(run: Run, command: str) -> None:
    ended = run(command, "--help")
    assert ended.returncode == 0
    assert f"Usage: ctxchat {command}" in ended.stdout


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").stdout == f"ctxchat {__version__}\n"


def test_an_unknown_command_or_flag_is_a_usage_error_that_names_the_nearest(run: Run) -> None:
    for words, near in ((["aks", "x"], "'ask'"), (["ask", "--temprature", "1"], "--temperature")):
        ended = run(*words)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert near in ended.stderr


def test_a_reader_that_closes_the_pipe_ends_it_with_141_and_a_clean_stderr(
    environment: dict[str, str],
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        ended = subprocess.run(
            [*COMMAND, "--help"], stdout=closed, stderr=subprocess.PIPE, env=environment, check=False
        )
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_stdout_is_told_in_one_line(environment: dict[str, str]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*COMMAND, "--help"], stdout=full, stderr=subprocess.PIPE, env=environment, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.decode() == "ctxchat: cannot write the output: No space left on device\n"


def test_closed_standard_streams_are_no_failure(environment: dict[str, str]) -> None:
    script = f"exec {' '.join(COMMAND)} --help >&- 2>&- <&-"
    assert subprocess.run(["sh", "-c", script], env=environment, check=False).returncode == 0


def raising(error: BaseException) -> Callable[[], int]:
    def body() -> int:
        raise error

    return body


@pytest.fixture
def kept_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests run in the tests' own process, whose stdout is not to be abandoned."""
    monkeypatch.setattr(failures, "abandon_stdout", lambda: None)


@pytest.mark.usefixtures("kept_stdout")
@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ModelError("no such model"), 3, "ctxchat: no such model\n"),
        (ModelError("a\x1b[31m\x9bname"), 3, "ctxchat: a[31mname\n"),
        (SettingsError("a.toml:1: model.x: unknown key"), 2, "a.toml:1: model.x: unknown key\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
        (
            ValueError("two\nlines"),
            1,
            "ctxchat: internal error: ValueError: two lines (CTXCHAT_DEBUG=1 shows where)\n",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_one_line_and_a_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failures.exit_code_of(raising(error)) == code
    assert capsys.readouterr().err == line


def test_with_debug_set_an_unexpected_failure_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTXCHAT_DEBUG", "1")
    with pytest.raises(ValueError, match="why"):
        failures.exit_code_of(raising(ValueError("why")))
