"""What the process may use of its machine."""

import os
from pathlib import Path

import pytest

from ctxchat.engine.llama import machine

GIB = 1 << 30


def place(monkeypatch: pytest.MonkeyPatch, path: Path, **files: str) -> None:
    for name, text in files.items():
        (path / name).write_text(text)
        monkeypatch.setattr(machine, name, path / name)


def test_a_quota_limits_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    place(monkeypatch, tmp_path, CPU_QUOTA="150000 100000\n")
    assert machine.usable_cores() == 2
    place(monkeypatch, tmp_path, CPU_QUOTA="max 100000\n")
    assert machine.usable_cores() == 8


def test_there_is_always_a_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place(monkeypatch, tmp_path, CPU_QUOTA="0 100000\n")
    assert machine.usable_cores() == 1


def test_a_memory_limit_leaves_what_is_not_used_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch, tmp_path, MEMORY="MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n")
    monkeypatch.setattr(machine, "memory_left", lambda: None)
    assert machine.available_memory() == 4 * GIB
    monkeypatch.setattr(machine, "memory_left", lambda: GIB)
    assert machine.available_memory() == GIB


def test_what_the_machine_does_not_tell_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "absent")
    monkeypatch.setattr(machine, "OWN_MEMORY", tmp_path / "absent")
    monkeypatch.setattr(machine, "memory_left", lambda: None)
    assert (machine.available_memory(), machine.resident_memory()) == (None, None)


@pytest.mark.skipif(not machine.OWN_MEMORY.exists(), reason="the system does not tell")
def test_the_resident_size_grows_with_what_is_held() -> None:
    before = machine.resident_memory()
    held = b"x" * (64 << 20)
    after = machine.resident_memory()
    assert before is not None
    assert after is not None
    assert after - before > len(held) // 2
