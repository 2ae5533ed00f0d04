"""Limits of memory by control groups of both versions, nested, and seen from inside a container."""

from pathlib import Path

import pytest

from ctxchat.engine.llama import cgroups

MIB = 1 << 20


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroups, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(cgroups, "GROUPS", tmp_path / "fs")
    return tmp_path / "fs"


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def test_without_groups_there_is_no_limit(group: Path) -> None:
    assert cgroups.memory_left() is None


def test_pages_of_files_count_as_free(group: Path) -> None:
    (group.parent / "own").write_text("0::/\n")
    stat = f"anon {60 * MIB}\ninactive_file {25 * MIB}\nactive_file {5 * MIB}\n"
    write(group, memory__max=f"{100 * MIB}", memory__current=f"{90 * MIB}", memory__stat=stat)
    assert cgroups.memory_left() == 40 * MIB


def test_the_tightest_of_nested_groups_counts(group: Path) -> None:
    (group.parent / "own").write_text("0::/outer/inner\n")
    write(group / "outer", memory__max=f"{50 * MIB}", memory__current=f"{40 * MIB}")
    write(group / "outer/inner", memory__max="max", memory__high=f"{30 * MIB}", memory__current=f"{25 * MIB}")
    assert cgroups.memory_left() == 5 * MIB


def test_the_first_version_has_a_tree_for_memory_alone(group: Path) -> None:
    (group.parent / "own").write_text("5:cpu:/a\n4:memory:/a\n0::/\n")
    limits = {"memory__limit_in_bytes": f"{100 * MIB}", "memory__usage_in_bytes": f"{80 * MIB}"}
    write(group / "memory/a", **limits, memory__stat=f"cache 1\ntotal_inactive_file {10 * MIB}")
    write(group / "a", memory__max=f"{MIB}", memory__current=f"{MIB}")
    assert cgroups.memory_left() == 30 * MIB


def test_a_container_that_sees_its_own_group_as_the_topmost_is_limited_by_it(group: Path) -> None:
    (group.parent / "own").write_text("4:memory:/docker/abc\n")
    write(group / "memory", memory__limit_in_bytes=f"{20 * MIB}", memory__usage_in_bytes=f"{30 * MIB}")
    assert cgroups.memory_left() == 0
