"""What work has cost is kept in a file that no damage and no second process can make lie."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxchat.domain.speculation import BatchCosts
from ctxchat.engine.cost_curve import Observation, fitted
from ctxchat.engine.cost_record import NOTHING, Known, change, read
from tests.support.cost_process import seen_with

ROOT = Path(__file__).parents[2]


def kept(path: Path) -> Known:
    phase = fitted([Observation(300, 0, 1.5, 10.0), Observation(40, 340, 0.3, 20.0)], ratio=4e-4, once=True)
    assert phase
    batches = {(2, 1): BatchCosts(((1, 1.0), (4, 2.5), (8, 4.75)))}
    return change(path, lambda _: Known({2: phase}, {1: phase}, phase, batches))


def test_what_is_kept_is_read_again_and_is_the_persons_alone(tmp_path: Path) -> None:
    path = tmp_path / "costs" / "one.json"
    known = kept(path)
    assert read(path) == known
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_file_cut_anywhere_is_as_if_nothing_were_known(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    kept(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert read(path) == NOTHING


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(at=st.integers(0, 200), byte=st.integers(0, 255))
def test_a_file_with_another_byte_is_read_or_forgotten_and_never_fails(
    tmp_path: Path, at: int, byte: int
) -> None:
    path = tmp_path / "one.json"
    kept(path)
    damaged = bytearray(path.read_bytes())
    damaged[at % len(damaged)] = byte
    path.write_bytes(bytes(damaged))
    known = read(path)
    for phase in (*known.prefill.values(), *known.decode.values(), *filter(None, [known.restore])):
        assert phase.now(30.0).seconds(10, 10) > 0
    assert all(costs.best > 0 for costs in known.batches.values())


@pytest.mark.parametrize(
    "damage",
    [
        {"seen": []},
        {"seen": [[300, 0, -1.5, 10.0]]},
        {"seen": [[300, 0, "1.5"]]},
        {"shape": [0, 0, 0]},
        {"shape": [-1, 1, 1]},
        {"shape": [float("nan"), 1, 1]},
        {"load": float("inf")},
        {"load": None},
    ],
)
def test_numbers_that_cannot_have_been_measured_are_not_believed(
    tmp_path: Path, damage: dict[str, object]
) -> None:
    path = tmp_path / "one.json"
    kept(path)
    file = json.loads(path.read_bytes())
    file["prefill"]["2"] |= damage
    path.write_text(json.dumps(file))
    assert read(path) == NOTHING


@pytest.mark.parametrize(
    "batches",
    [
        [[2, 1, []]],
        [[2, 1, [[2, 1.5]]]],
        [[2, 1, [[1, 1], [8, 3], [4, 2]]]],
        [[2, 1, [[1, 1], [8, -3]]]],
        [[2, 1, [[1, 1], [8.5, 3], [8, 3]]]],
        [[2, float("inf"), [[1, 1]]]],
        [[2, [[1, 1]]]],
        7,
    ],
)
def test_costs_of_batches_that_cannot_have_been_measured_are_not_believed(
    tmp_path: Path, batches: object
) -> None:
    path = tmp_path / "one.json"
    kept(path)
    file = json.loads(path.read_bytes())
    path.write_text(json.dumps({**file, "batches": batches}))
    assert read(path) == NOTHING


def test_a_file_from_before_batches_were_measured_is_read(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    known = kept(path)
    file = json.loads(path.read_bytes())
    del file["batches"]
    path.write_text(json.dumps(file))
    assert read(path) == replace(known, batches={})


def test_a_file_of_another_format_is_left_alone_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text('{"format": 99}')
    assert read(path) == NOTHING
    assert read(tmp_path / "none.json") == NOTHING


def test_a_folder_that_cannot_be_written_costs_nothing_but_memory(tmp_path: Path) -> None:
    (tmp_path / "costs").write_text("a file in its place")
    known = kept(tmp_path / "costs" / "one.json")
    assert known.prefill
    assert read(tmp_path / "costs" / "one.json") == NOTHING


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path, times = tmp_path / "costs" / "one.json", 12
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.cost_process", path, str(first), str(times)], cwd=ROOT
        )
        for first in (1, 1001)
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    sizes = {one.n for one in seen_with(path)}
    assert sizes == {*range(1, 1 + times), *range(1001, 1001 + times)}
