"""`ask` over what the processes before it kept on disk."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctxchat import locations
from tests.cli.conftest import Ran
from tests.support.tiny_gguf import write_tiny_gguf

Run = Callable[..., Ran]
SHORT = ("--max-tokens", "6", "--temperature", "0", "--no-memory")
LONG = "One thing after another. " * 40


@pytest.fixture(autouse=True)
def tiny(home: Path, environment: dict[str, str]) -> None:
    """A model of random weights, which never ends its turn; the one the settings name."""
    environment["CTXCHAT_MODEL_PATH"] = str(write_tiny_gguf(home / "tiny.gguf"))


def asked(run: Run, *words: str, **variables: str) -> dict[str, Any]:
    ran = run("ask", *words, *SHORT, "--json", **variables)
    assert ran.returncode == 0, ran.stderr
    receipt: dict[str, Any] = json.loads(ran.stdout)
    return receipt


def blocks() -> list[Path]:
    kept = (locations.data_folder() / "kv").glob("*/*")
    return sorted(path for path in kept if path.suffix in (".block", ".tail"))


def test_a_conversation_goes_on_in_a_new_process_without_being_read_again(run: Run) -> None:
    first = asked(run, LONG)
    assert first["kv"]["restored"] == 0
    with_snapshot = asked(run, "-c", "And now?", "-n")
    shutil.rmtree(locations.data_folder() / "kv")
    without = asked(run, "-c", "And now?", "-n")
    assert with_snapshot["kv"]["restored"] == with_snapshot["kv"]["reused"] == first["kv"]["cells"]
    assert with_snapshot["kv"]["evaluated"] < 30
    assert with_snapshot["answer"] == without["answer"]


def test_restoring_is_told_as_an_event(run: Run) -> None:
    cells = asked(run, LONG)["kv"]["cells"]
    ran = run("ask", "-c", "And now?", *SHORT, "--events")
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    kinds = [event["type"] for event in events]
    assert {"type": "restored", "restored": cells} in events
    assert kinds.index("cost_predicted") < kinds.index("restored") < kinds.index("prefilled")
    assert kinds[-1] == "finished"


def test_a_plan_counts_what_would_be_restored(run: Run) -> None:
    asked(run, LONG)
    planned = json.loads(run("plan", "-c", "And now?", "--json", "--no-memory").stdout)["kv"]
    real = asked(run, "-c", "And now?")["kv"]
    for field in ("reused", "evaluated", "restored"):
        assert planned[field] == real[field]


def test_an_attached_text_is_read_once(run: Run, home: Path) -> None:
    (home / "manual.md").write_text(LONG)
    asked(run, "-f", "manual.md", "What?")
    second = asked(run, "-f", "manual.md", "Where was it?")
    assert second["kv"]["restored"] >= second["prompt"]["sections"]["data"]
    assert second["kv"]["evaluated"] < second["prompt"]["sections"]["question"] + 30


def test_a_damaged_snapshot_is_told_in_one_line_and_changes_no_answer(run: Run) -> None:
    asked(run, LONG)
    sound = asked(run, "-c", "And now?", "-n")
    for path in blocks():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    ran = run("ask", "-c", "And now?", *SHORT, "--json", "-n")
    damaged = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert ran.stderr.count("snapshot refused: its checksum does not match") == 1
    assert damaged["kv"]["miss"].startswith("snapshot refused: ")
    assert damaged["kv"]["restored"] == 0
    assert damaged["answer"] == sound["answer"]


def test_the_receipt_says_why_nothing_is_reused(run: Run) -> None:
    assert asked(run, LONG)["kv"]["miss"] == "first turn: nothing of it was read before"
    assert asked(run, "-c", "And now?", "-n")["kv"]["miss"] is None
    other = asked(run, "-c", "And now?", "-n", "--cache-type-k", "q8_0")["kv"]["miss"]
    assert other.startswith("reused 0 of ")
    assert other.endswith("the model or a setting changed: what was kept belongs to another type of keys")


def test_nothing_is_kept_of_what_is_not_recorded_or_where_no_disk_is_given(run: Run) -> None:
    asked(run, LONG, "-n")
    asked(run, LONG, CTXCHAT_KV_MAX_DISK="0")
    assert blocks() == []


def test_a_list_shows_what_is_kept_and_deleting_a_conversation_removes_it(run: Run) -> None:
    first = asked(run, LONG)
    (listed,) = json.loads(run("sessions", "list", "--json").stdout)
    assert listed["snapshot_bytes"] == sum(path.stat().st_size for path in blocks()) > 0
    assert "MB" in run("doctor").stdout
    assert run("sessions", "delete", first["session"], "-y").returncode == 0
    assert blocks() == []


@pytest.mark.parametrize("size", ["20 parsecs", "-1", "GB"])
def test_a_size_that_is_none_is_refused(run: Run, size: str) -> None:
    ran = run("ask", "Hm?", CTXCHAT_KV_MAX_DISK=size)
    assert ran.returncode == 2
    assert "a size like 500MB or 20GB" in ran.stderr
