"""A calibration keeps to its time, leaves the chat's cells alone, and says how deep it looked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Generated
from ctxchat.domain.measurement import Calibration, Measured, Measuring
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.trial import trial
from ctxchat.engine.snapshots.folder import SnapshotFolder
from tests.support.short_memory import leave
from tests.support.tiny_gguf import write_tiny_gguf
from tests.support.tiny_mamba import write_tiny_mamba

OpenModel = Callable[..., LlamaModel]


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    """What is learned in a test is kept in its home."""


def calibrated(model: LlamaModel, seconds: float = 10.0) -> Calibration:
    (calibration,) = model.calibrate(Cancel(), seconds)
    return calibration


def test_after_a_calibration_a_curve_is_known_to_its_depth_and_beyond(open_model: OpenModel) -> None:
    model = open_model(window=2048)
    calibration = calibrated(model)
    assert calibration.window == 2048
    assert 1024 < calibration.depth <= 2048
    assert calibration.seconds < 10
    curve = model.costs.curve()
    assert curve
    assert curve.prefill(200, 4000) > curve.prefill(200) > 0


def test_cells_are_laid_on_without_being_read_and_weigh_like_others(open_model: OpenModel) -> None:
    model = open_model(window=2048)
    loaded, read = model._opened(), []

    def job(emit: Callable[[int], None]) -> None:
        with trial(loaded, model._options, 2048, Cancel()) as measured:
            measured.read(100)
            measured.deepen(1000, float("inf"))
            emit(measured.depth)
            measured.read(20)
            emit(measured.depth)
            measured.forget(20)
            measured.decode(3)
            emit(measured.depth)

    assert model._worker
    read = list(model._worker.stream(job, Cancel()))
    assert read == [1000, 1020, 1003]


def test_the_chat_goes_on_as_if_nothing_had_been(open_model: OpenModel) -> None:
    def answer(model: LlamaModel, *ids: int) -> Generated:
        *_, last = model.generate(Generation(ids, Sampling(temperature=0), limit=8), Cancel())
        assert isinstance(last, Generated)
        assert last.finish is Finish.LENGTH
        return last

    one, other = open_model(speculation="off"), open_model(speculation="off")
    assert answer(one, 1, 2, 3) == answer(other, 1, 2, 3)
    held = one.cache.cells()
    calibrated(one)
    assert one.cache.cells() == held
    longer = (1, 2, 3, *answer(other, 1, 2, 3).text_ids, 4, 5)
    assert answer(one, *longer) == answer(other, *longer)


def test_a_calibration_without_time_ends_at_once_and_knows_what_it_saw(open_model: OpenModel) -> None:
    calibration = calibrated(open_model(), 0.001)
    assert calibration.depth == 0


def test_a_cancelled_calibration_ends(open_model: OpenModel) -> None:
    cancel = Cancel()
    cancel.request()
    (calibration,) = open_model().calibrate(cancel, 600)
    assert calibration.depth == 0


def test_a_model_with_a_state_instead_of_cells_is_calibrated_too(tmp_path: Path) -> None:
    path = write_tiny_mamba(tmp_path / "mamba.gguf")
    model = LlamaModel(path, EngineOptions(threads=1, threads_batch=1, window=512))
    list(model.load(Cancel()))
    calibrated(model)
    assert model.costs.curve()
    assert [event.n for event in model.measure([64, 128], Cancel()) if isinstance(event, Measured)] == [
        64,
        128,
    ]
    model.close()


def test_what_long_prompts_take_is_measured_by_reading_one(open_model: OpenModel) -> None:
    model = open_model(window=1024)
    events = list(model.measure([256, 512, 1024], Cancel()))
    assert events[0] == Measuring(0, 1024)
    points = [event for event in events if isinstance(event, Measured)]
    assert [point.n for point in points] == [256, 512, 1024]
    assert 0 < points[0].prefill < points[1].prefill < points[2].prefill
    assert all(point.decode > 0 for point in points)
    assert Measuring(1024, 1024) in events
    assert model.costs.curve()


@pytest.mark.parametrize("write", [write_tiny_gguf, write_tiny_mamba])
def test_saving_and_restoring_are_measured_by_doing_them_and_leave_nothing(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    path, disk = write(tmp_path / "tiny.gguf"), tmp_path / "disk"
    options = EngineOptions(threads=1, threads_batch=1, window=1024)
    model = LlamaModel(path, options, SnapshotFolder(disk / "kv"))
    list(model.load(Cancel()))
    points = [event for event in model.measure([300, 600], Cancel()) if isinstance(event, Measured)]
    assert [point.n for point in points] == [300, 600]
    for point in points:
        assert point.save is not None
        assert point.restore is not None
        assert point.save > point.restore > 0
    assert list(disk.iterdir()) == []
    assert (model.costs.restoring(600) or 0) > 0
    model.close()


def test_where_the_disk_is_full_only_the_snapshots_are_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctxchat.engine.llama.snapshot_trial.SHARE_OF_FREE_DISK", 0.0)
    model = LlamaModel(
        write_tiny_gguf(tmp_path / "tiny.gguf"),
        EngineOptions(threads=1, threads_batch=1, window=512),
        SnapshotFolder(tmp_path / "disk" / "kv"),
    )
    list(model.load(Cancel()))
    (point,) = (event for event in model.measure([300], Cancel()) if isinstance(event, Measured))
    assert (point.save, point.restore) == (None, None)
    assert point.decode > 0
    model.close()


def test_a_measurement_that_is_stopped_keeps_what_it_has(open_model: OpenModel) -> None:
    model, cancel, points = open_model(window=1024), Cancel(), []
    for event in model.measure([256, 1024], cancel):
        if isinstance(event, Measured):
            points.append(event.n)
            cancel.request()
    assert points == [256]


def test_where_memory_is_short_fewer_cells_are_taken(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(window=4096)
    leave(monkeypatch, model, 1100 * model.cache.bytes_per_token)
    points = [e.n for e in model.measure([512, 2048], Cancel()) if isinstance(e, Measured)]
    assert points == [512]
