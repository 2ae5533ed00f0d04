"""Completion scripts are taken by their shells, and complete."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Ran

Run = Callable[..., Ran]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_script_without_a_word(run: Run, shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(run("completion", shell).stdout)
    assert "ctxchat" in script.read_text()
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    prepare = "autoload -U compinit && compinit -u;" if shell == "zsh" else ""
    ended = subprocess.run(
        [shell, "-c", f"{prepare} source {script}"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_an_unknown_shell_is_a_usage_error(run: Run) -> None:
    ended = run("completion", "tcsh")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "bash" in ended.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ctxchat mo", ["models"]),
        ("ctxchat config ", ["show", "path", "edit", "check"]),
        ("ctxchat ask --dry", ["--dry-run"]),
    ],
)
def test_bash_is_given_what_can_follow(environment: dict[str, str], line: str, expected: list[str]) -> None:
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_CTXCHAT_COMPLETE": "complete_bash"}
    ended = subprocess.run(COMMAND, env=environment | asked, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == expected
