"""What is foretold of a file, against what llama.cpp allocates for it."""

from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.fitting.compute import at_most, lying_on
from ctxchat.engine.llama.fitting.decision import Decider
from ctxchat.engine.llama.fitting.demand import demand_of
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from tests.support.tiny_gguf import Shape, write_tiny_gguf

ROUNDING = 100_000
"""llama.cpp prints hundredths of a MiB, of a handful of buffers."""

SHAPES = [
    Shape(),
    Shape(kv_heads=4),
    Shape(kv_heads=1),
    Shape(layers=6, feed_forward=512),
]


def weighed(path: Path, **options: object) -> tuple[int, int]:
    """What is foretold to be taken of the host, and what llama.cpp says it allocated."""
    run = EngineOptions(threads=1, threads_batch=1, **options)  # type: ignore[arg-type]
    decider = Decider(read_header(path), run, (), 64 << 30)
    fit = decider.exact().fit
    model = LlamaModel(path, run)
    list(model.load(Cancel()))
    model._worker.call(lambda: model.cache.prepare((1, 2, 3), 8))  # type: ignore[union-attr]
    allocated = sum((*model._opened().weights.buffers.values(), *model.cache.buffers.values()))
    model.close()
    return fit.host.used, allocated


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("types", [("f16", "f16"), ("q8_0", "f16"), ("q8_0", "q8_0")])
def test_the_host_takes_what_was_foretold(tmp_path: Path, shape: Shape, types: tuple[str, str]) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", shape)
    foretold, taken = weighed(path, window=2048, type_k=types[0], type_v=types[1])
    assert abs(foretold - taken) <= ROUNDING


@pytest.mark.parametrize("window", [256, 4096])
def test_what_is_presumed_is_more_than_llama_cpp_takes(tmp_path: Path, window: int) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf")
    header = read_header(path)
    decider = Decider(header, EngineOptions(window=window), (), 64 << 30)
    resolved = decider.resolve(EngineOptions(window=window))
    demand = demand_of(header)
    cells = window * sum(demand.cell("f16", "f16", False))
    told = decider.exact().fit.host.used - demand.weights - cells
    assert 0 < told < at_most(header, resolved, 0, 0).host


def test_weights_by_layer_are_all_weights(tmp_path: Path) -> None:
    header = read_header(write_tiny_gguf(tmp_path / "tiny.gguf", Shape(layers=3)))
    demand = demand_of(header)
    assert len(set(demand.layers)) == 1
    assert demand.weights == sum(tensor.bytes for tensor in header.tensors)
    assert demand.units == 4


def test_buffers_of_a_device_are_named_like_it() -> None:
    buffers = {"CUDA1": 1, "CUDA10": 2, "CUDA_Host": 4, "CPU_Mapped": 8, "MTL0_Mapped": 16, "CUDA1_Split": 32}
    assert lying_on("CUDA1", buffers) == 33
    assert lying_on("MTL0", buffers) == 16


def test_a_dry_run_takes_no_memory_and_leaves_none(tmp_path: Path) -> None:
    from ctxchat.engine.llama.machine import resident_memory

    path = write_tiny_gguf(tmp_path / "tiny.gguf", Shape(layers=8, kv_heads=4))
    decider = Decider(read_header(path), EngineOptions(window=1 << 17), (), 64 << 30)
    library()
    before = resident_memory()
    fit = decider.exact().fit
    after = resident_memory()
    assert before is not None
    assert after is not None
    assert fit.host.used > 1 << 29
    assert after - before < 1 << 28
