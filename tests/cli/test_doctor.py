"""`doctor` looks at this machine, and fails where something that matters does."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

pytestmark = pytest.mark.model
Run = Callable[..., Ran]


@pytest.mark.usefixtures("never_used")
def test_a_sound_installation_passes_and_nothing_is_made(run: Run, smollm2: Path, home: Path) -> None:
    ended = run("doctor", "--json", CTXCHAT_MODEL_PATH=str(smollm2))
    findings = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert all(list(finding) == ["check", "ok", "seen", "mend"] for finding in findings)
    assert all(finding["ok"] for finding in findings)
    seen = {finding["check"]: finding["seen"] for finding in findings}
    assert seen["model"] == str(smollm2)
    assert seen["KV cache"].startswith("23,040 bytes")
    assert list(home.iterdir()) == []


def test_a_missing_model_fails_it_with_the_mend(run: Run) -> None:
    ended = run("doctor", CTXCHAT_MODEL_PATH="/nowhere/none.gguf")
    assert ended.returncode == 1
    assert "FAIL  model " in ended.stdout
    assert "mend: ctxchat models use PATH" in ended.stdout
    assert "ok    disk" in ended.stdout


def test_broken_settings_fail_it_and_the_rest_is_looked_at(run: Run, home: Path) -> None:
    (home / "ctxchat.toml").write_text("[model]\nx = 1\n")
    ended = run("doctor")
    assert ended.returncode == 1
    assert f"{home / 'ctxchat.toml'}:2: model.x: unknown key" in ended.stdout
    assert "ok    llama-cpp-python" in ended.stdout
