"""The folder of snapshots: what is shared, found, held, and removed."""

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import StoreError
from ctxchat.engine.snapshots.container import Ids, RefusedError, Run
from ctxchat.engine.snapshots.fingerprint import LABELS, Fingerprint
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.engine.snapshots.names import BLOCK_CELLS, runs
from tests.conftest import ROOT

PRINT = Fingerprint("m", "f16", "f16", "off", "as trained", "t", "b")
CELL = 4
"""Bytes of a cell here."""


def cells_of(run: Run) -> memoryview:
    """Cells that tell which run they are of."""
    return memoryview(b"".join(number.to_bytes(CELL, "little") for number in run.ids))


def keep(folder: SnapshotFolder, holder: str, ids: Ids, *, whole: bool = False) -> None:
    folder.keep(PRINT, holder, ids, cells_of, Cancel(), whole=whole)


def files(folder: SnapshotFolder) -> set[Path]:
    return {path for path in folder.path.glob("*/*") if path.suffix != ".held"}


@pytest.fixture
def folder(tmp_path: Path) -> SnapshotFolder:
    return SnapshotFolder(tmp_path / "kv")


def row(count: int, first: int = 0) -> Ids:
    return tuple(range(first, first + count))


@given(st.lists(st.integers(0, 5), max_size=700).map(tuple), st.booleans())
def test_runs_are_all_ids_in_their_order(ids: Ids, whole: bool) -> None:
    if whole and not ids:
        return
    kept = list(runs("root", ids, whole=whole))
    assert sum((run.ids for _, run in kept), ()) == ids
    assert [run.begin for _, run in kept] == [
        sum(len(run.ids) for _, run in kept[:place]) for place in range(len(kept))
    ]
    assert len({name for name, _ in kept}) == len(kept)


@pytest.mark.parametrize("common", [0, 1, 255, 256, 257, 400, 512, 600])
def test_the_longest_common_prefix_is_found_wherever_it_ends(folder: SnapshotFolder, common: int) -> None:
    keep(folder, "one", row(600))
    found = folder.longest(PRINT, row(common) + row(300, first=5000))
    assert found.end == common
    assert [part.run.begin for part in found.files] == list(range(0, common, BLOCK_CELLS))
    for part in found.files:
        assert folder.read(PRINT, part) == cells_of(part.run)


def test_of_several_ends_behind_one_block_the_longest_is_taken(folder: SnapshotFolder) -> None:
    for number, common in enumerate((270, 300, 280)):
        keep(folder, str(number), row(common) + row(40, first=1000 * (number + 1)))
    assert folder.longest(PRINT, row(400)).end == 300


def test_what_several_conversations_begin_with_is_there_once(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(512) + row(10, first=1000))
    keep(folder, "two", row(512) + row(10, first=2000))
    assert sorted(path.suffix for path in files(folder)) == [".block", ".block", ".tail", ".tail"]
    assert len(set(folder.sizes().values())) == 1
    assert sum(folder.sizes().values()) > folder.bytes()[0]


def test_a_turn_writes_its_new_blocks_and_replaces_its_tail(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(300))
    before = {path: path.stat().st_ino for path in files(folder)}
    keep(folder, "one", row(600))
    after = {path: path.stat().st_ino for path in files(folder)}
    (block,) = (path for path in before if path.suffix == ".block")
    assert after[block] == before[block]
    assert sorted(path.suffix for path in after) == [".block", ".block", ".tail"]


def test_what_others_hold_stays_when_a_conversation_is_deleted(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(600))
    keep(folder, "two", row(256) + row(100, first=1000))
    folder.release("one")
    assert folder.longest(PRINT, row(600)).end == 256
    assert set(folder.sizes()) == {"two"}
    folder.release("two")
    assert files(folder) == set()
    assert folder.bytes()[0] == 0


def test_a_fork_holds_what_its_source_does(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(300))
    folder.share("one", "fork")
    folder.release("one")
    assert folder.longest(PRINT, row(300)).end == 300
    folder.release("fork")
    assert files(folder) == set()


def test_releasing_what_never_was_changes_nothing(folder: SnapshotFolder) -> None:
    folder.release("nobody")
    assert not folder.path.exists()


def test_cells_without_parts_are_used_as_they_are_or_not_at_all(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(300), whole=True)
    keep(folder, "two", row(200), whole=True)
    assert folder.longest(PRINT, row(301)).end == 300
    assert folder.longest(PRINT, row(300)).end == 200
    assert folder.longest(PRINT, row(200)).end == 0


@pytest.mark.parametrize("field", LABELS)
def test_another_fingerprint_finds_nothing_and_is_told_apart(folder: SnapshotFolder, field: str) -> None:
    keep(folder, "one", row(300))
    other = replace(PRINT, **{field: "other"})
    assert folder.longest(other, row(300)).end == 0
    found = folder.longest(PRINT, row(300)).files[0]
    with pytest.raises(RefusedError, match=LABELS[field]):
        folder.read(other, found)


def test_files_and_folders_are_the_persons_alone(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(300))
    for path in folder.path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_what_a_death_left_half_written_is_never_found_and_goes(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(300))
    (tail,) = (path for path in files(folder) if path.suffix == ".tail")
    half = tail.with_name(f"{tail.name}.4711.new")
    half.write_bytes(tail.read_bytes()[:500])
    tail.unlink()
    assert folder.longest(PRINT, row(300)).end == 256
    keep(folder, "one", row(300))
    assert not half.exists()
    assert folder.longest(PRINT, row(300)).end == 300


SAVES_FOR_EVER = """
import sys
from itertools import count
from pathlib import Path
from tests.engine.test_snapshots import SnapshotFolder, keep, row
for number in count():
    keep(SnapshotFolder(Path(sys.argv[1])), str(number), row(3000, first=7 * number))
"""


@pytest.mark.parametrize("written", [1, 5, 14, 25])
def test_a_kill_at_any_moment_leaves_whole_files_alone(folder: SnapshotFolder, written: int) -> None:
    command = [sys.executable, "-c", SAVES_FOR_EVER, str(folder.path)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        while len(files(folder)) < written:
            assert process.poll() is None
        process.kill()
    for number in range(10):
        found = folder.longest(PRINT, row(3000, first=7 * number))
        assert found.refused == ()
        for part in found.files:
            assert folder.read(PRINT, part) == cells_of(part.run)
    keep(folder, "0", row(3000))
    assert folder.longest(PRINT, row(3000)).end == 3000
    assert not any(path.suffix == ".new" for path in files(folder))


def test_what_no_conversation_holds_goes(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(300))
    next(folder.path.glob("*/one.held")).unlink()
    keep(folder, "two", row(300, first=1000))
    assert folder.longest(PRINT, row(300)).end == 0


def age(folder: SnapshotFolder, begin: float) -> None:
    for path in files(folder):
        os.utime(path, (begin, begin))


def test_over_the_budget_what_was_not_used_for_longest_goes_from_its_end(folder: SnapshotFolder) -> None:
    keep(folder, "old", row(800))
    age(folder, 1000)
    whole = folder.bytes()[0]
    small = replace(folder, most=int(whole * 1.5))
    keep(small, "new", row(800, first=5000))
    assert small.longest(PRINT, row(800, first=5000)).end == 800
    assert 0 < small.longest(PRINT, row(800)).end < 800
    assert small.bytes()[0] <= int(whole * 1.5)


def test_what_is_used_is_not_the_oldest_any_more(folder: SnapshotFolder) -> None:
    for number in range(3):
        keep(folder, str(number), row(200, first=1000 * number))
        age(folder, 1000)
    for part in folder.longest(PRINT, row(200)).files:
        folder.read(PRINT, part)
    most = folder.bytes()[0] // 3 * 2 + 10
    keep(replace(folder, most=most), "3", row(200, first=9000))
    assert folder.longest(PRINT, row(200)).end == 200
    assert folder.longest(PRINT, row(200, first=9000)).end == 200
    assert folder.longest(PRINT, row(200, first=1000)).end == 0
    assert folder.longest(PRINT, row(200, first=2000)).end == 0


def test_a_conversation_that_is_more_than_is_allowed_keeps_its_beginning(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(2000))
    half = replace(folder, most=folder.bytes()[0] // 2)
    folder.release("one")
    keep(half, "one", row(2000))
    assert half.bytes()[0] <= (half.most or 0)
    assert 256 <= half.longest(PRINT, row(2000)).end <= 1100


def test_nothing_is_kept_where_nothing_is_allowed(folder: SnapshotFolder) -> None:
    keep(replace(folder, most=0), "one", row(300))
    assert files(folder) == set()


def test_a_cancelled_save_keeps_what_was_held_before(folder: SnapshotFolder) -> None:
    keep(folder, "one", row(300))
    cancel = Cancel()
    cancel.request()
    folder.keep(PRINT, "one", row(800), cells_of, cancel)
    assert folder.longest(PRINT, row(800)).end == 300


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(folder: SnapshotFolder) -> None:
    folder.path.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="cannot be"):
        keep(folder, "one", row(300))


def test_a_folder_that_is_a_file_is_told(folder: SnapshotFolder) -> None:
    folder.path.write_text("")
    with pytest.raises(StoreError, match="kv"):
        keep(folder, "one", row(300))
    assert folder.longest(PRINT, row(300)).end == 0
    assert folder.sizes() == {}
