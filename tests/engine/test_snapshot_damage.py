"""Snapshots that are damaged in every way: no crash, no wrong answer, and the sound blocks are used."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT

FILES = range(3)
"""Two blocks and a tail."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process that reads damaged snapshots reports; a crash of llama.cpp would be its end."""
    command = [sys.executable, "-m", "tests.support.damage_snapshots", str(tmp_path_factory.mktemp("kv"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("number", FILES)
@pytest.mark.parametrize(
    ("kind", "cases", "said"),
    [
        ("truncations", 40, "cut short"),
        ("flips", 400, "checksum"),
        ("scrambled", 20, "checksum"),
        ("older", 1, "format 0"),
        ("model", 1, "another model"),
        ("keys", 1, "another type of keys"),
        ("attention", 1, "another setting of flash attention"),
    ],
)
def test_of_damaged_snapshots_the_sound_blocks_before_are_used_and_the_rest_is_read_again(
    report: dict[str, Any], kind: str, number: int, cases: int, said: str
) -> None:
    found = report[f"{kind} {number}"]
    assert found["cases"] >= cases
    assert found["ends"] == [256 * number]
    assert all(found["said"])
    assert any(said in line for line in found["said"])
    assert found["right"]


def test_sound_snapshots_are_used_whole(report: dict[str, Any]) -> None:
    assert report["sound"] == {"cases": 1, "ends": [600], "said": [""], "right": True}
