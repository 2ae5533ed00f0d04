"""What holds of cells that come back from disk, for every model that keeps them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.model import Restoration
from ctxchat.domain.ports import Model
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.snapshots.folder import SnapshotFolder
from tests.contract.conftest import FILES, RUNS, MakeModel
from tests.support.scripted import ScriptedDisk, ScriptedModel
from tests.support.turns import answer, cells_of, words

CHAT, LEFT = 0, 3
WINDOW = 1024

WHOLE = ("recurrent", "sliding window", "hybrid")
WITH_PARTS = [name for name in RUNS if name not in (*WHOLE, "SmolLM2")]
EVERY = [*WITH_PARTS, *WHOLE]


@pytest.fixture(params=EVERY)
def make_model(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeModel]:
    """Makes loaded models over one disk, as processes would that begin one after the other."""
    file, options = RUNS[request.param]
    made: list[Model] = []
    disk = ScriptedDisk()

    def make() -> Model:
        if file == "scripted":
            made.append(ScriptedModel(window=WINDOW, disk=disk))
        else:
            engine = EngineOptions(window=WINDOW, threads=1, threads_batch=1, batch_size=32, **options)  # type: ignore[arg-type]
            path = request.getfixturevalue(FILES[file])
            made.append(LlamaModel(path, engine, SnapshotFolder(tmp_path / "kv")))
        list(made[-1].load(Cancel()))
        return made[-1]

    yield make
    for model in made:
        model.close()


def restored(model: Model, ids: tuple[int, ...], limit: int = 12) -> Restoration:
    return cells_of(model).restore(ids, limit)


def saved(model: Model, ids: tuple[int, ...], holder: str = "one") -> None:
    cells_of(model).save(holder, ids, Cancel())


@pytest.mark.parametrize("asked", [20, 300, 511, 512, 513])
def test_a_restored_cache_goes_on_as_one_that_never_stopped(make_model: MakeModel, asked: int) -> None:
    first = make_model()
    ids = words(first, asked)
    told = answer(first, ids)
    history = ids + told.text_ids
    saved(first, history)
    following = history + words(first, 30, first=" and then")
    expected = answer(first, following, limit=24)

    second = make_model()
    assert cells_of(second).restorable(following) == len(history)
    assert restored(second, following) == Restoration(0, len(history))
    assert cells_of(second).plan(following, 24).reused == len(history)
    assert answer(second, following, limit=24) == expected


@pytest.mark.parametrize("make_model", [pytest.param("SmolLM2", marks=pytest.mark.model)], indirect=True)
def test_the_real_model_goes_on_from_disk_as_if_it_never_stopped(make_model: MakeModel) -> None:
    test_a_restored_cache_goes_on_as_one_that_never_stopped(make_model, 513)


@pytest.mark.parametrize("make_model", ["sliding window"], indirect=True)
@pytest.mark.parametrize("back", [1, 20, 200])
def test_what_came_back_whole_is_not_cut_back(make_model: MakeModel, back: int) -> None:
    """The layers that see little came back without what is far from the end."""
    first = make_model()
    ids = words(first, 400)
    history = ids + answer(first, ids).text_ids
    saved(first, history)
    second = make_model()
    restored(second, history + words(second, 9))
    other = history[: len(history) - back] + words(second, 9, first="~")
    assert cells_of(second).plan(other, 12).reused == 0
    assert answer(second, other) == answer(make_model(), other)
    cells_of(second).trim(CHAT, 200)
    assert cells_of(second).cells() == 200


@pytest.mark.parametrize("make_model", WITH_PARTS, indirect=True)
@pytest.mark.parametrize("asked", [40, 512])
def test_the_last_token_of_a_prompt_that_is_all_on_disk_is_read_again(
    make_model: MakeModel, asked: int
) -> None:
    first = make_model()
    ids = words(first, asked)
    expected = answer(first, ids)
    saved(first, ids)
    again = answer(first, ids)
    second = make_model()
    restored(second, ids)
    plan = cells_of(second).plan(ids, 12)
    assert (plan.reused, plan.evaluated) == (asked - 1, 1)
    assert answer(second, ids).text == again.text == expected.text


@pytest.mark.parametrize("make_model", WITH_PARTS, indirect=True)
@pytest.mark.parametrize("common", [10, 256, 300, 400])
def test_another_conversation_restores_what_it_has_in_common(make_model: MakeModel, common: int) -> None:
    first = make_model()
    ids = words(first, 600)
    answer(first, ids)
    saved(first, ids)
    other = ids[:common] + words(first, 30, first="~ other")
    second = make_model()
    assert restored(second, other) == Restoration(0, common)
    assert answer(second, other).text == answer(first, other).text


@pytest.mark.parametrize("make_model", WITH_PARTS, indirect=True)
def test_what_the_cells_hold_already_is_not_read(make_model: MakeModel) -> None:
    model = make_model()
    ids = words(model, 300)
    history = ids + answer(model, ids).text_ids
    saved(model, history)
    assert restored(model, history + words(model, 9)) == Restoration()
    cells_of(model).trim(CHAT, 280)
    came = restored(model, history + words(model, 9))
    assert came.end == len(history)
    assert came.begin >= 256


def test_what_was_restored_is_saved_again_without_a_change(make_model: MakeModel) -> None:
    first = make_model()
    ids = words(first, 300)
    history = ids + answer(first, ids).text_ids
    saved(first, history)
    following = history + words(first, 20, first="~")
    second = make_model()
    restored(second, following)
    saved(second, history, holder="two")
    third = make_model()
    assert restored(third, following).end == len(history)
    assert answer(third, following).text == answer(first, following).text


def test_a_prompt_that_has_nothing_in_common_restores_nothing(make_model: MakeModel) -> None:
    first = make_model()
    ids = words(first, 300)
    answer(first, ids)
    saved(first, ids + words(first, 5))
    second = make_model()
    other = words(second, 300, first="~ other")
    assert restored(second, other) == Restoration()
    assert cells_of(second).restorable(other) == 0


def test_nothing_is_written_once_it_is_cancelled(make_model: MakeModel) -> None:
    first = make_model()
    ids = words(first, 300)
    history = ids + answer(first, ids).text_ids
    cancel = Cancel()
    cancel.request()
    cells_of(first).save("one", history, cancel)
    assert cells_of(make_model()).restorable(history + ids) == 0


@pytest.mark.parametrize("make_model", WITH_PARTS, indirect=True)
def test_saving_leaves_the_cells_and_what_they_answer_as_they_were(make_model: MakeModel) -> None:
    model = make_model()
    ids = words(model, 300)
    history = ids + answer(model, ids).text_ids
    cells_of(model).fork(CHAT, LEFT, 280)
    saved(model, history)
    assert (cells_of(model).cells(CHAT), cells_of(model).cells(LEFT)) == (312, 280)
    following = history + words(model, 20, first="~")
    fresh = make_model()
    restored(fresh, following)
    assert answer(model, following) == answer(fresh, following)


@pytest.mark.parametrize("make_model", WITH_PARTS, indirect=True)
def test_a_branch_gives_its_cells_where_restoring_needs_them(make_model: MakeModel) -> None:
    first = make_model()
    ids = words(first, 900)
    history = ids + answer(first, ids).text_ids
    saved(first, history)
    second = make_model()
    answer(second, words(second, 600, first="~ other"))
    cells_of(second).fork(CHAT, LEFT, 600)
    following = history + words(second, 5)
    assert restored(second, following).end == len(history)
    assert answer(second, following).text == answer(first, following).text


@pytest.mark.parametrize(
    ("make_model", "asked_too"),
    [*((name, name == "sliding window") for name in WHOLE)],
    indirect=["make_model"],
)
def test_an_answer_that_the_next_prompt_tells_otherwise_leaves_what_stood_before_it_on_disk(
    make_model: MakeModel, asked_too: bool
) -> None:
    """As where a template strips reasoning. A state is that in which the turn began; cells are cut back."""
    first = make_model()
    ids = words(first, 300)
    history = ids + answer(first, ids).text_ids
    asked = history + words(first, 40, first="asked")
    answer(first, asked)
    following = asked + words(first, 30, first="~ stripped")
    saved(first, following)
    second = make_model()
    kept = asked if asked_too else history
    assert restored(second, following) == Restoration(0, len(kept))
    assert cells_of(second).plan(following, 12).reused == len(kept)
    assert answer(second, following) == answer(make_model(), following)
