"""Over whatever a person does, the mirror is what llama.cpp holds, and a plan is what is done."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Generated, Prefilled
from ctxchat.engine.llama.cells import BRANCH, CHAT, SEQUENCES, SIDE
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.snapshots.folder import SnapshotFolder
from tests.support.tiny_gguf import write_tiny_gguf
from tests.support.tiny_hybrid import write_tiny_hybrid
from tests.support.tiny_mamba import write_tiny_mamba
from tests.support.turns import Ids, answer, begin, words

WRITERS = {"recurrent": write_tiny_mamba, "hybrid": write_tiny_hybrid}
PART, LIMIT, WINDOW = 18, 6, 256

steps = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "go on", "aside", "save", "restore"]),
        st.lists(st.integers(0, 1), min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=14,
)


@pytest.fixture(scope="module", params=["f16", "q8_0", "flash attention", "recurrent", "hybrid"])
def models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The one that is tried, and one that reads every prompt from its beginning."""
    folder = tmp_path_factory.mktemp("models")
    path = folder / "model.gguf"
    WRITERS.get(request.param, write_tiny_gguf)(path)
    options = EngineOptions(
        window=WINDOW,
        threads=1,
        threads_batch=1,
        batch_size=PART,
        type_k="q8_0" if request.param == "q8_0" else "f16",
        flash_attn="on" if request.param == "flash attention" else "off",
    )
    opened = (LlamaModel(path, options, SnapshotFolder(folder / "kv")), LlamaModel(path, options))
    for model in opened:
        list(model.load(Cancel()))
    yield opened
    for model in opened:
        model.close()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=25,
)
@given(steps=steps)
def test_plans_hold_and_answers_are_those_of_a_model_that_reads_everything(
    models: tuple[LlamaModel, LlamaModel], steps: list[tuple[str, list[int]]]
) -> None:
    model, plain = models
    seen: set[Ids] = {()}
    for sequence in range(SEQUENCES):
        model.cache.drop(sequence)
    for what, path in steps:
        ids = _prompt(model, path)
        if what == "go on":
            ids = model.cache._cells.ids(CHAT)[: WINDOW // 2] + ids[:PART]
        if what == "save":
            model.cache.save("one", model.cache._cells.ids(CHAT), Cancel())
        elif what == "restore":
            model.cache.restore(ids, LIMIT)
        elif what == "aside":
            answer(model, ids[:PART], limit=LIMIT, aside=True)
        else:
            _check_turn(model, plain, ids)
        _check_mirror(model, seen)


def _prompt(model: LlamaModel, path: list[int]) -> Ids:
    """Prompts that share as many parts as their paths do."""
    return sum((words(model, PART, first=f"{place} {turn}") for place, turn in enumerate(path)), ())


def _check_turn(model: LlamaModel, plain: LlamaModel, ids: Ids) -> None:
    plan = model.cache.plan(ids, LIMIT)
    first, *_, last = begin(model, ids, Cancel(), limit=LIMIT)
    assert first == Prefilled(0, plan.evaluated)
    assert isinstance(last, Generated)
    assert model.cache._cells.ids(CHAT) == ids + last.text_ids
    for sequence in range(SEQUENCES):
        plain.cache.drop(sequence)
    if model.resolved.flash_attn:
        return  # It adds up otherwise for a batch of another size: a model of noise then says something else.
    assert answer(plain, ids, limit=LIMIT) == last


def _check_mirror(model: LlamaModel, seen: set[Ids]) -> None:
    """A branch is always what the chat held once, whole."""
    cells, context = model.cache._cells, model.cache._context
    assert cells.count(SIDE) == 0
    assert cells.ids(BRANCH) in seen
    seen.add(cells.ids(CHAT))
    for sequence in range(SEQUENCES):
        assert context is None or context.count(sequence) == cells.count(sequence)
