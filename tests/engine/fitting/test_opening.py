"""Opening where memory is short: with what gives way, told in one line, or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import ModelError, UsageError
from ctxchat.domain.events import Warned
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.llama.devices import Device, devices
from ctxchat.engine.llama.fitting import opening
from ctxchat.engine.llama.fitting.choice import DEVICE_MARGIN, HOST_MARGIN
from ctxchat.engine.llama.fitting.decision import Decider
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from tests.support.tiny_gguf import Shape, write_tiny_gguf

GIB = 1 << 30
MIB = 1 << 20
SHAPE = Shape(layers=4, kv_heads=4, window=1 << 16)
"""Four layers whose cells take 2 KiB together."""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf", SHAPE)


def opened_in(
    monkeypatch: pytest.MonkeyPatch, path: Path, free: int, **options: object
) -> tuple[LlamaModel, list[str]]:
    monkeypatch.setattr(opening, "available_memory", lambda: free)
    model = LlamaModel(path, EngineOptions(threads=1, threads_batch=1, **options))  # type: ignore[arg-type]
    return model, [event.message for event in model.load(Cancel()) if isinstance(event, Warned)]


def test_where_memory_is_not_scarce_nothing_is_said(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, told = opened_in(monkeypatch, tiny, 4 * GIB)
    assert (told, model.facts.room, model.resolved.window) == ([], None, 8192)
    model.close()


def test_a_window_that_was_not_typed_is_made_smaller_and_that_is_said_once(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, told = opened_in(monkeypatch, tiny, HOST_MARGIN + 30 * MIB)
    assert (model.facts.room, model.resolved.window) == (4096, 4096)
    assert len(told) == 1
    assert "a window of 4,096 tokens instead of 8,192" in told[0]
    assert "needs 40.1 MB" in told[0]
    assert list(model.load(Cancel())) == []
    model.close()


def test_types_that_are_free_are_changed_before_the_window(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, told = opened_in(monkeypatch, tiny, HOST_MARGIN + 36 * MIB, types_free=True)
    assert (model.cache.type_k, model.cache.type_v, model.resolved.window) == ("q8_0", "f16", 8192)
    assert "q8_0 keys and f16 values" in told[0]
    model.close()


def test_what_would_swap_is_not_loaded_and_what_would_fit_is_named(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        ModelError, match=r"window of 8,192 needs 40\.1 MB.* is not loaded: --ctx-size 4096"
    ) as error:
        opened_in(monkeypatch, tiny, HOST_MARGIN + 24 * MIB, window=8192)
    assert error.value.exit_code == 3
    assert "\n" not in str(error.value)


def test_where_nothing_would_fit_a_smaller_model_is_advised(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match="take a smaller model"):
        opened_in(monkeypatch, tiny, HOST_MARGIN)


def test_a_smaller_quantization_is_advised_where_the_weights_are_too_heavy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heavy = write_tiny_gguf(tmp_path / "heavy.gguf", Shape(layers=8, feed_forward=4096))
    with pytest.raises(ModelError, match=r"its Q8_0 would fit with a window of 2,048"):
        opened_in(monkeypatch, heavy, HOST_MARGIN + 30 * MIB, window=2048)


def refusing(most: int) -> Callable[[int], int]:
    def opened(layers: int) -> int:
        if layers > most:
            raise ModelError("no memory")
        return layers

    return opened


@pytest.mark.parametrize(("most", "taken"), [(33, 33), (32, 24), (20, 16), (9, 8), (7, 0)])
def test_a_device_that_refuses_gets_fewer_layers_step_by_step(most: int, taken: int) -> None:
    told: list[str] = []
    assert opening.with_fewer(refusing(most), 33, lambda: True, told.append) == taken
    assert len(told) == (taken != 33)
    assert all(f"{taken or 'none'} of them" in line for line in told)


def test_what_fails_for_another_reason_is_not_tried_again() -> None:
    tried: list[int] = []

    def opened(layers: int) -> int:
        tried.append(layers)
        raise ModelError("damaged")

    with pytest.raises(ModelError, match="damaged"):
        opening.with_fewer(opened, 33, lambda: False, [].append)
    assert tried == [33]


def test_a_host_that_refuses_too_is_told() -> None:
    with pytest.raises(ModelError):
        opening.with_fewer(refusing(-1), 33, lambda: True, [].append)


def test_without_a_gpu_there_are_no_devices() -> None:
    assert all(device.total >= device.free for device in devices())


def gpus(*free: int) -> tuple[Device, ...]:
    return tuple(Device(f"CUDA{n}", "a GPU", size, 24 * GIB) for n, size in enumerate(free))


def test_all_layers_go_to_a_roomy_gpu_and_options_stay_as_they_were(tiny: Path) -> None:
    options = EngineOptions()
    decided = Decider(read_header(tiny), options, gpus(24 * GIB), 64 * GIB).decision()
    assert (decided.options, decided.notice, decided.tight) == (options, None, False)
    assert (decided.fit.way.units, decided.fit.counts) == (5, (5,))


def test_the_main_gpu_alone_is_used_where_nothing_is_split(tiny: Path) -> None:
    header = read_header(tiny)
    options = EngineOptions(split_mode="none", main_gpu=1)
    fit = Decider(header, options, gpus(0, 24 * GIB), 64 * GIB).decision().fit
    assert [device.name for device in fit.devices] == ["CUDA1"]
    with pytest.raises(UsageError, match="--main-gpu can be 0 to 0"):
        Decider(header, options, gpus(GIB), 64 * GIB)


def test_no_layer_typed_leaves_gpus_alone(tiny: Path) -> None:
    fit = Decider(read_header(tiny), EngineOptions(n_gpu_layers=0), gpus(24 * GIB), 64 * GIB).decision().fit
    assert (fit.devices, fit.way.units) == ((), 0)


def test_a_gpu_that_is_short_gets_the_layers_there_is_room_for(tiny: Path) -> None:
    header = read_header(tiny)
    whole = Decider(header, EngineOptions(), gpus(24 * GIB), 64 * GIB).exact().fit.devices[0].used
    short = gpus(DEVICE_MARGIN + whole - 1)
    decided = Decider(header, EngineOptions(), short, 64 * GIB).decision()
    assert decided.options.n_gpu_layers == 4
    assert decided.notice
    assert "4 of 5 layers on the GPU" in decided.notice
    assert "CUDA0" in decided.notice
    assert "\n" not in decided.notice


def test_several_gpus_are_told_how_many_layers_each_takes(tiny: Path) -> None:
    header = read_header(tiny)
    one = Decider(header, EngineOptions(), gpus(24 * GIB), 64 * GIB).exact().fit.devices[0].used
    two = gpus(DEVICE_MARGIN + one // 2, DEVICE_MARGIN + one * 2)
    decided = Decider(header, EngineOptions(), two, 64 * GIB).exact()
    assert decided.notice is None
    assert decided.fit.way.units == 5
    assert decided.options.n_gpu_layers == -1
    assert decided.options.tensor_split == tuple(map(float, decided.fit.counts))
    assert all(device.used + DEVICE_MARGIN <= (device.free or 0) for device in decided.fit.devices)


def test_layers_that_were_typed_and_do_not_fit_are_refused_with_how_many_would(tiny: Path) -> None:
    options = EngineOptions(n_gpu_layers=-1)
    with pytest.raises(ModelError, match=r"on CUDA0.* is not loaded: .*-ngl 0.* would fit"):
        Decider(read_header(tiny), options, gpus(MIB), 64 * GIB).decision()


def test_layers_asked_of_a_build_that_has_no_gpu_are_told_how_to_get_one(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "no_gpu_support", lambda: "this machine has a GPU")
    for layers, expected in ((None, []), (0, []), (-1, ["this machine has a GPU"])):
        model, told = opened_in(monkeypatch, tiny, 4 * GIB, n_gpu_layers=layers)
        assert told == expected
        model.close()


def test_layers_asked_where_there_is_no_gpu_are_said_to_stay(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "no_gpu_support", lambda: None)
    for layers, expected in ((None, []), (0, []), (1, [opening.NO_GPU])):
        model, told = opened_in(monkeypatch, tiny, 4 * GIB, n_gpu_layers=layers)
        assert told == expected
        model.close()
