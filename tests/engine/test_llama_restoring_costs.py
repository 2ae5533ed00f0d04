"""A model in this process learns what bringing cells back from disk costs, and does it where it pays."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.engine.cost_record import Known
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.snapshots.folder import SnapshotFolder
from tests.support.asked_ids import PROMPT, ask
from tests.support.made_up_phases import phase

OpenModel = Callable[..., LlamaModel]


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    """What is learned in a test is kept in its home."""


def test_what_restoring_takes_is_learned_too_with_what_is_paid_once(open_model: OpenModel) -> None:
    model = open_model()
    assert model.costs.restoring(1000) is None
    for tokens in (256, 1024, 4096):
        model.costs.saw_restored(tokens, 0.002 + 5e-6 * tokens)
    model.costs.learn()
    assert model.costs.restoring(2048) == pytest.approx(0.002 + 5e-6 * 2048, rel=0.1)
    assert open_model().costs.restoring(2048) == pytest.approx(model.costs.restoring(2048))


def knowing(model: LlamaModel, *, reading: float, restoring: float, at: float | None = None) -> None:
    """Seconds a token takes to be read, and to come back from disk."""
    quick = {1: phase(reading)}
    model.costs._known = Known(quick, quick, phase(restoring, at=at))


@pytest.mark.parametrize("sooner", [True, False])
def test_what_is_read_sooner_is_not_restored_and_a_plan_knows(
    open_model: OpenModel, tmp_path: Path, sooner: bool
) -> None:
    model = open_model(window=1024)
    path = tmp_path / "tiny-0.gguf"
    keeping = [LlamaModel(path, model._options, SnapshotFolder(tmp_path / "kv")) for _ in range(2)]
    for one in keeping:
        list(one.load(Cancel()))
    first, second = keeping
    ask(first)
    first.cache.save("one", PROMPT, Cancel())
    knowing(second, reading=0.001, restoring=0.002 if sooner else 0.0005)
    follows = (*PROMPT, 7, 8)
    assert second.cache.restorable(follows) == (0 if sooner else len(PROMPT))
    assert second.cache.restore(follows, 10).end == (0 if sooner else len(PROMPT))
    assert second.cache.plan(follows, 10).reused == (0 if sooner else len(PROMPT))
    for one in keeping:
        one.close()


@pytest.mark.parametrize(
    ("read", "restored", "sooner"), [((0.004, 9e-5), 1.1e-4, True), ((0.02, 6e-4), 1.1e-4, False)]
)
def test_a_gpu_that_reads_quicker_than_a_disk_gives_cells_reads(
    open_model: OpenModel, read: tuple[float, float], restored: float, sooner: bool
) -> None:
    """A 7B model's 3,000 tokens: 11,000 a second with all layers on a GPU, 1,600 with half of them."""
    model = open_model()
    for n in (128, 512, 2048):
        model.costs.saw_read(n, 0, read[0] + n * read[1])
    model.costs.saw_decoded(64, 0, 64 * 0.0032)
    model.costs.learn()
    assert not model.costs.is_read_sooner(0, 3042, 3042)
    model.costs.saw_restored(3042, 0.01 + 3042 * restored)
    model.costs.learn()
    assert model.costs.is_read_sooner(0, 3042, 3042) is sooner
    assert model.costs.is_read_sooner(2900, 3042, 3042)


def test_restoring_is_tried_where_nothing_is_known_and_where_it_was_slow_long_ago(
    open_model: OpenModel,
) -> None:
    model = open_model()
    assert not model.costs.is_read_sooner(0, 300, 300)
    knowing(model, reading=0.001, restoring=9.0)
    assert model.costs.is_read_sooner(0, 300, 300)
    knowing(model, reading=0.001, restoring=9.0, at=time.time() - 7200)
    assert not model.costs.is_read_sooner(0, 300, 300)


def test_a_restore_teaches_what_it_took(open_model: OpenModel, tmp_path: Path) -> None:
    open_model()
    options = EngineOptions(threads=1, threads_batch=1, window=512)
    for turn in range(2):
        model = LlamaModel(tmp_path / "tiny-0.gguf", options, SnapshotFolder(tmp_path / "kv"))
        list(model.load(Cancel()))
        model.cache.restore((*PROMPT, 7), 10)
        ask(model)
        model.cache.save("one", PROMPT, Cancel())
        model.costs.learn()
        assert (model.costs.restoring(100) is not None) == bool(turn)
        model.close()
