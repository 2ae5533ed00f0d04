"""A model in this process learns what its work costs, and works with the threads that do it best."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.cost_curve import Coefficients, Observation, Phase
from ctxchat.engine.cost_record import Known
from ctxchat.engine.llama import costs as costs_module
from ctxchat.engine.llama.model import LlamaModel
from tests.support.asked_ids import PROMPT, ask
from tests.support.made_up_phases import phase

OpenModel = Callable[..., LlamaModel]


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    """What is learned in a test is kept in its home."""


def test_nothing_is_known_before_work_and_a_curve_after_it_was_learned(open_model: OpenModel) -> None:
    model = open_model()
    assert model.costs.curve() is None
    ask(model)
    assert model.costs.curve() is None
    model.costs.learn()
    curve = model.costs.curve()
    assert curve
    assert 0 < curve.prefill(100) < curve.prefill(400) < 60
    assert 0 < curve.decode(100) < 10


def test_a_little_work_is_not_enough(open_model: OpenModel) -> None:
    model = open_model()
    ask(model, PROMPT[:20])
    model.costs.learn()
    assert model.costs.curve() is None


def test_another_process_knows_it_and_other_cells_do_not(open_model: OpenModel) -> None:
    model = open_model()
    ask(model)
    model.costs.learn()
    assert open_model().costs.curve() == pytest.approx(model.costs.curve())
    other = open_model(type_k="q8_0")
    assert other.costs.curve() is None
    assert other.costs.curve("f16")
    assert model.costs.curve("q8_0") is None


def test_what_is_counted_without_weights_is_foretold_too(open_model: OpenModel, tmp_path: Path) -> None:
    model = open_model()
    ask(model)
    model.costs.learn()
    counting = LlamaModel(tmp_path / "tiny-0.gguf", model._options)
    list(counting.load(Cancel(), weights=False))
    assert counting.costs.curve()
    counting.close()


def test_side_work_and_interrupted_work_teach_nothing(open_model: OpenModel) -> None:
    model = open_model()
    ask(model)
    model.costs.learn()
    before = model.costs._known
    ask(model, (*PROMPT, 7, 8), aside=True)
    cancel = Cancel()
    cancel.request()
    list(model.generate(Generation(PROMPT[::-1], Sampling(), limit=5), cancel))
    model.costs.learn()
    assert model.costs._known is before


def chosen(model: LlamaModel, prefill: dict[int, Phase], decode: dict[int, Phase]) -> tuple[int, int]:
    model.costs._known = Known(prefill, decode)
    model.costs._choose_threads()
    return model.costs.threads.prefill, model.costs.threads.decode


def test_the_threads_that_were_measured_quickest_are_taken_for_each_phase(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctxchat.engine.llama.loaded.usable_cores", lambda: 2)
    model = open_model(threads=None, threads_batch=None)
    assert (model.costs.threads.prefill, model.costs.threads.decode) == (2, 1)
    prefill = {1: phase(0.010), 2: phase(0.006)}
    assert chosen(model, prefill, {1: phase(0.02), 2: phase(0.03)}) == (2, 1)
    assert chosen(model, prefill, {1: phase(0.02), 2: phase(0.01)}) == (2, 2)
    ask(model)


def test_threads_are_chosen_again_when_the_machine_becomes_busy_and_when_that_is_long_ago(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctxchat.engine.llama.loaded.usable_cores", lambda: 2)
    model = open_model(threads=None, threads_batch=None)
    decode = {1: phase(0.02)}
    assert chosen(model, {1: phase(0.010), 2: phase(0.006, load=1.5)}, decode) == (1, 1)
    long_ago = time.time() - 20 * 3600
    assert chosen(model, {1: phase(0.010), 2: phase(0.006, load=1.5, at=long_ago)}, decode) == (2, 1)


def test_threads_that_are_set_stay(open_model: OpenModel) -> None:
    model = open_model(threads=1, threads_batch=1)
    quick = {1: phase(0.010), 2: phase(0.001)}
    assert chosen(model, quick, quick) == (1, 1)


def offloaded(costs: costs_module.LlamaCosts, layers: int) -> None:
    for name, value in (("offloaded", True), ("n_gpu_layers", layers), ("ubatch_size", 512)):
        object.__setattr__(costs._resolved, name, value)


def test_a_slice_is_as_long_as_an_interruption_may_take(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = open_model().costs
    assert costs.slice(2048, 0) == 2048
    offloaded(costs, -1)
    assert costs.slice(2048, 0) == 512
    monkeypatch.setattr(costs_module.LlamaCosts, "curve", lambda _: CostCurve(0.0, 0.001, 0.0, 0.0, 0.0))
    assert costs.slice(2048, 0) == 192
    assert costs.slice(128, 0) == 128
    monkeypatch.setattr(costs_module.LlamaCosts, "curve", lambda _: CostCurve(0.0, 0.00015, 0.0, 0.0, 0.0))
    assert costs.slice(2048, 0) == 1024


def test_a_slice_is_whole_where_layers_stay_on_the_cpu_and_hear_an_interruption(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = open_model().costs
    monkeypatch.setattr(costs_module.LlamaCosts, "curve", lambda _: CostCurve(0.0, 0.001, 0.0, 0.0, 0.0))
    offloaded(costs, costs._header.layers)
    assert costs.slice(2048, 0) == 512
    offloaded(costs, costs._header.layers + 1)
    assert costs.slice(2048, 0) == 192


def test_threads_of_which_too_little_is_known_are_not_taken_and_not_kept_where_others_are(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctxchat.engine.llama.loaded.usable_cores", lambda: 2)
    model = open_model(threads=None, threads_batch=None)
    little = Phase((Observation(8, 0, 0.01, time.time()),), Coefficients(0.0, 0.001, 0.0), 0.0)
    assert chosen(model, {1: little, 2: phase(0.006)}, {1: phase(0.02)}) == (2, 1)
    assert chosen(model, {1: phase(0.006), 2: little}, {1: phase(0.02)}) == (1, 1)
    assert model.costs.curve()


LEFT = len(PROMPT) + 10


@pytest.mark.parametrize(
    ("flash_attention", "gpu", "unseen"), [("off", False, LEFT), ("on", False, 0), ("on", True, LEFT)]
)
def test_cells_that_are_computed_over_without_being_seen_count_as_depth(
    open_model: OpenModel, flash_attention: str, gpu: bool, unseen: int
) -> None:
    model = open_model(flash_attn=flash_attention)
    object.__setattr__(model.costs._resolved, "offloaded", gpu)
    assert bool(model.costs.carrying()) == bool(unseen)
    ask(model)
    model.costs.learn()
    ask(model, tuple(reversed(PROMPT)))
    assert [one.depth for one in model.costs._read[1]] == [unseen]
    assert [one.depth for one in model.costs._decoded[1]] == [len(PROMPT) + unseen]


def turns(model: LlamaModel, seconds: dict[int, float], count: int) -> list[int]:
    """The threads that read in so many turns on a machine that takes so long a token with them."""
    used = []
    for _ in range(count):
        used.append(model.costs.threads.prefill)
        model.costs.saw_read(128, 0, 128 * seconds[used[-1]])
        model.costs.saw_decoded(32, 128, 0.32)
        model.costs.learn()
    return used


@pytest.mark.parametrize("busy", [{1: 0.012, 2: 0.040}, {1: 0.060, 2: 0.040}], ids=["helps", "helps not"])
def test_turns_that_are_slower_than_the_record_have_another_number_of_threads_tried(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch, busy: dict[int, float]
) -> None:
    monkeypatch.setattr("ctxchat.engine.llama.loaded.usable_cores", lambda: 2)
    model = open_model(threads=None, threads_batch=None)
    for threads, seconds in ((1, 0.010), (2, 0.006)):
        for _ in range(4):
            model.costs.saw_read(128, 0, 128 * seconds, threads)
    model.costs.learn()
    assert model.costs.threads.prefill == 2
    used = turns(model, busy, 16)
    assert 1 in used
    assert set(used[-4:]) == {min(busy, key=lambda threads: busy[threads])}


def test_what_is_known_is_stale_after_long_and_where_others_were_measured_under_another_load(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctxchat.engine.llama.loaded.usable_cores", lambda: 2)
    monkeypatch.setattr(costs_module, "usable_cores", lambda: 2)
    model = open_model(threads=None, threads_batch=None)
    assert model.costs.is_stale()
    hour_ago, decode = time.time() - 3600, {1: phase(0.02)}
    chosen(model, {2: phase(0.006), 1: phase(0.01, at=hour_ago)}, decode)
    assert not model.costs.is_stale()
    chosen(model, {2: phase(0.006, at=hour_ago)}, decode)
    assert model.costs.is_stale()
    chosen(model, {2: phase(0.006, load=0.45), 1: phase(0.05, at=hour_ago)}, decode)
    assert model.costs.is_stale()
    chosen(model, {2: phase(0.006, load=0.45), 1: phase(0.05)}, decode)
    assert not model.costs.is_stale()
