"""A measurement goes through its sizes, says how far it has come, and ends with a report."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.cost import attention_pairs
from ctxchat.domain.errors import ModelError
from ctxchat.domain.measurement import Measuring
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.service.bench import BenchService, Calibrating, Machine, Point, Report, Step, sizes
from tests.support.tiny_gguf import write_tiny_gguf


def machine(reading: int, decoding: int) -> Machine:
    return Machine("a machine", 2, (), decoding, reading)


@pytest.fixture
def service(home: Path) -> BenchService:
    path = write_tiny_gguf(home / "tiny.gguf")
    options = EngineOptions(threads=1, threads_batch=1, window=1024)
    return BenchService(lambda: LlamaModel(path, options), machine)


def report_of(steps: Iterator[Step]) -> Report:
    *_, last = steps
    assert isinstance(last, Report)
    return last


def test_sizes_double_as_far_as_the_window_goes() -> None:
    assert sizes(8192) == (512, 1024, 2048, 4096, 8192)
    assert sizes(3000) == (512, 1024, 2048)
    assert sizes(256) == (256,)


def test_every_size_is_measured_and_the_curve_goes_near_the_points(service: BenchService) -> None:
    steps = list(service.run(Cancel()))
    report = report_of(iter(steps))
    assert [type(step) for step in steps if isinstance(step, Calibrating)]
    assert tuple(step for step in steps if isinstance(step, Point)) == report.points
    assert [point.n for point in report.points] == [512, 1024]
    assert Measuring(1024, 1024) in steps
    assert report.left_out == ()
    assert report.curve
    point = report.points[-1]
    assert point.prefill_tokens_per_second == pytest.approx(1024 / point.prefill)
    assert point.attention_pairs == attention_pairs(0, 1024, report.model.layers)
    assert point.kv_bytes == 1024 * 512
    assert report.machine.threads == 1


def test_a_quick_look_leaves_out_what_would_take_long(
    service: BenchService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctxchat.service.bench.QUICK_SECONDS", 1e-9)
    report = report_of(service.run(Cancel(), quick=True))
    assert [point.n for point in report.points] == [512]
    assert report.left_out == (1024,)


def test_one_that_is_stopped_reports_what_it_has(service: BenchService) -> None:
    cancel, steps = Cancel(), []
    for step in service.run(cancel):
        steps.append(step)
        if isinstance(step, Point):
            cancel.request()
    report = report_of(iter(steps))
    assert [point.n for point in report.points] == [512]
    assert report.left_out == (1024,)


def test_a_calibration_alone_says_how_deep_it_looked(service: BenchService) -> None:
    calibration, curve = service.calibrate(Cancel())
    assert calibration.window == 1024
    assert 0 < calibration.depth <= 1024
    assert curve


def test_without_a_model_nothing_is_measured() -> None:
    def none() -> LlamaModel:
        raise ModelError("there is none")

    with pytest.raises(ModelError):
        list(BenchService(none, machine).run(Cancel()))
