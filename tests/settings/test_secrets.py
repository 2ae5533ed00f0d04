"""Keys come from the environment or a command, and are never told."""

import shlex
import sys

import pytest

from ctxchat.domain.errors import UsageError
from ctxchat.settings import secrets
from ctxchat.settings.secrets import secret


def command(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def test_a_key_is_what_the_variable_holds_or_the_first_line_a_command_prints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEAM_KEY", " k-1 \n")
    said = command("print('k-2\\nsecond line')")
    assert secret(None, None) is None
    assert secret("TEAM_KEY", None) == "k-1"
    assert secret("TEAM_KEY", said) == "k-1"
    assert secret(None, said) == "k-2"
    monkeypatch.delenv("TEAM_KEY")
    assert secret("TEAM_KEY", said) == "k-2"


@pytest.mark.parametrize(
    ("env", "code", "line"),
    [
        ("NO_SUCH_KEY", None, "NO_SUCH_KEY is not set"),
        (None, "import sys; print('s3cret', file=sys.stderr); sys.exit(3)", "exited with 3"),
        (None, "pass", "printed nothing"),
        (None, "print('s3cret\\tx')", "no header can carry"),
        (None, r"import sys; sys.stdout.buffer.write(b's3cret\xff')", "cannot be read"),
        (None, "import time; print('s3cret', flush=True); time.sleep(60)", "has not ended"),
    ],
)
def test_a_key_that_cannot_be_had_is_one_line_without_the_key(
    env: str | None, code: str | None, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    monkeypatch.setattr(secrets, "_SECONDS", 0.5)
    with pytest.raises(UsageError) as told:
        secret(env, code and command(code))
    assert line in str(told.value)
    assert "s3cret" not in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("typed", ["no-such-program-s3cret", "'unclosed s3cret", " "])
def test_a_command_that_cannot_be_run_is_one_line_without_the_command(typed: str) -> None:
    with pytest.raises(UsageError) as told:
        secret(None, typed)
    assert "key_command" in str(told.value)
    assert "s3cret" not in str(told.value)
