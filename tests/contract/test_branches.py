"""What the chat leaves stays in cells, and is there again when it is gone back to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Prefilled
from ctxchat.domain.ports import Model
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.snapshots.folder import SnapshotFolder
from tests.contract.conftest import FILES, RUNS, MakeModel
from tests.support.scripted import ScriptedModel
from tests.support.turns import Ids, answer, begin, cells_of, words

CHAT, SIDE, BRANCH = 0, 1, 3
WINDOW = 1024

WHOLE = ("recurrent", "hybrid")
WITH_PARTS = [name for name in RUNS if name not in (*WHOLE, "SmolLM2")]
EVERY = [*WITH_PARTS, *WHOLE]


@pytest.fixture(params=EVERY)
def make_model(request: pytest.FixtureRequest) -> Iterator[MakeModel]:
    """Makes loaded models."""
    file, options = RUNS[request.param]
    made: list[Model] = []

    def make() -> Model:
        if file == "scripted":
            made.append(ScriptedModel(window=WINDOW))
        else:
            engine = EngineOptions(window=WINDOW, threads=1, threads_batch=1, batch_size=32, **options)  # type: ignore[arg-type]
            made.append(LlamaModel(request.getfixturevalue(FILES[file]), engine))
        list(made[-1].load(Cancel()))
        return made[-1]

    yield make
    for model in made:
        model.close()


@pytest.fixture
def model(make_model: MakeModel) -> Model:
    return make_model()


def told(model: Model, ids: Ids) -> Ids:
    """A prompt with its answer."""
    return ids + answer(model, ids).text_ids


def held(model: Model) -> tuple[int, int]:
    return cells_of(model).cells(CHAT), cells_of(model).cells(BRANCH)


def foretold(model: Model, ids: Ids) -> int:
    """Tokens that are reused, as planned and as done."""
    plan = cells_of(model).plan(ids, 12)
    first, *_ = begin(model, ids, Cancel())
    assert first == Prefilled(0, plan.evaluated)
    return plan.reused


def test_another_conversation_and_back_evaluates_nothing_twice(model: Model, make_model: MakeModel) -> None:
    one = told(model, words(model, 60))
    other = told(model, words(model, 80, first="other"))
    assert held(model) == (len(other), len(one))
    follows = one + words(model, 20, first="And")
    plan = cells_of(model).plan(follows, 12)
    assert (plan.reused, plan.evaluated, plan.held) == (len(one), 20, len(one))
    said = answer(model, follows, limit=24)
    assert held(model) == (len(follows) + len(said.text_ids), len(other))

    never_left = make_model()
    told(never_left, one[:60])
    assert answer(never_left, follows, limit=24) == said
    assert foretold(model, other + words(model, 9)) == len(other)


@pytest.mark.parametrize("make_model", [pytest.param("SmolLM2", marks=pytest.mark.model)], indirect=True)
def test_the_real_model_goes_on_from_what_it_left(model: Model, make_model: MakeModel) -> None:
    test_another_conversation_and_back_evaluates_nothing_twice(model, make_model)


def test_to_and_fro_goes_on_as_in_two_processes(model: Model, make_model: MakeModel) -> None:
    histories = [words(model, 40), words(model, 50, first="other")]
    alone = [make_model(), make_model()]
    for turn in range(5):
        for place, its_own in enumerate(alone):
            asked = histories[place] + words(model, 10, first=f"turn {turn}")
            said = answer(model, asked)
            assert answer(its_own, asked) == said
            histories[place] = asked + said.text_ids
    assert cells_of(model).plan(histories[0] + (5,), 12).reused == len(histories[0])
    assert cells_of(model).plan(histories[1] + (5,), 12).reused == len(histories[1])


@pytest.mark.parametrize("make_model", WITH_PARTS, indirect=True)
def test_an_edit_of_an_earlier_turn_can_be_taken_back(model: Model, make_model: MakeModel) -> None:
    history = told(model, words(model, 200))
    edited = history[:50] + words(model, 30, first="~ rather")
    assert foretold(model, edited) == 50
    assert cells_of(model).cells(BRANCH) == 212
    back = history + words(model, 10, first="Go on")
    assert foretold(model, back) == 212
    assert cells_of(model).cells(BRANCH) > len(edited)

    never_left = make_model()
    told(never_left, history[:200])
    assert answer(never_left, back) == answer(model, back)


@pytest.mark.parametrize("make_model", WITH_PARTS, indirect=True)
def test_a_small_loss_does_not_push_out_a_large_branch(model: Model) -> None:
    told(model, words(model, 200))
    history = told(model, words(model, 150, first="other"))
    assert held(model) == (162, 212)
    assert foretold(model, history[:150] + words(model, 20, first="again")) == 150
    assert cells_of(model).cells(BRANCH) == 212


@pytest.mark.parametrize("make_model", WITH_PARTS, indirect=True)
def test_what_both_share_a_part_of_is_taken_from_the_one_that_shares_more(model: Model) -> None:
    one = told(model, words(model, 100))
    told(model, one[:30] + words(model, 100, first="other"))
    asked = one[:70] + words(model, 20, first="third")
    plan = cells_of(model).plan(asked, 12)
    assert (plan.reused, plan.agreed, plan.held) == (70, 70, 112)
    assert foretold(model, asked) == 70


def test_what_only_goes_on_leaves_nothing(model: Model) -> None:
    history = told(model, words(model, 60))
    history = told(model, history + words(model, 20, first="And"))
    assert held(model) == (len(history), 0)


def test_side_work_leaves_both_as_they_were(model: Model, make_model: MakeModel) -> None:
    one = told(model, words(model, 60))
    other = told(model, words(model, 80, first="other"))
    answer(model, other + words(model, 20, first="Sum up"), limit=30, aside=True)
    assert (*held(model), cells_of(model).cells(SIDE)) == (92, 72, 0)
    fresh = make_model()
    told(fresh, one[:60])
    follows = one + words(model, 20, first="And")
    assert answer(fresh, follows) == answer(model, follows)


def test_side_work_for_what_was_left_shares_its_cells_once_it_is_gone_back_to(model: Model) -> None:
    one = told(model, words(model, 60))
    other = told(model, words(model, 80, first="other"))
    request = one + words(model, 20, first="Sum up")
    cells_of(model).go_back_to(request)
    assert held(model) == (len(one), len(other))
    first, *_ = begin(model, request, Cancel(), limit=30, aside=True)
    assert first == Prefilled(0, 20)
    cells_of(model).go_back_to(request)
    assert held(model) == (len(one), len(other))


def test_an_interrupted_prompt_leaves_the_branch_whole(model: Model) -> None:
    one = told(model, words(model, 60))
    cancel = Cancel()
    events = begin(model, words(model, 200, first="other"), cancel)
    next(events)
    cancel.request()
    list(events)
    assert foretold(model, one + words(model, 9)) == 72


def test_where_cells_run_short_the_branch_gives_its_own(model: Model, make_model: MakeModel) -> None:
    if isinstance(model, ScriptedModel) or not model.facts.trims:
        pytest.skip("its cells never run short")
    told(model, words(model, 600))
    other = words(model, 700, first="other")
    said = answer(model, other)
    assert held(model) == (712, 0)
    assert answer(make_model(), other) == said


@pytest.mark.parametrize("place", ["branch", "disk"])
def test_a_prompt_goes_on_from_whichever_has_more_cells_or_disk(
    tiny_gguf: Path, tmp_path: Path, place: str
) -> None:
    options = EngineOptions(window=WINDOW, threads=1, threads_batch=1, batch_size=32, flash_attn="on")
    models = [LlamaModel(tiny_gguf, options, SnapshotFolder(tmp_path / "kv")) for _ in range(2)]
    for model in models:
        list(model.load(Cancel()))
    model, fresh = models
    history = told(model, words(model, 300))
    on_disk = history if place == "disk" else history[:100]
    cells_of(model).save("one", on_disk, Cancel())
    if place == "disk":
        cells_of(model).trim(CHAT, 200)
    told(model, words(model, 80, first="other"))
    follows = history + words(model, 9)
    came = cells_of(model).restore(follows, 12)
    assert came.end == (312 if place == "disk" else 0)
    assert cells_of(model).plan(follows, 12).reused == 312
    told(fresh, history[:300])
    assert answer(fresh, follows).text == answer(model, follows).text
    assert cells_of(model).cells(BRANCH) == 92
    for model in models:
        model.close()


@pytest.mark.parametrize("flash_attention", ["on", "off"])
def test_a_branch_that_the_disk_holds_weighs_on_no_token(
    tiny_gguf: Path, tmp_path: Path, flash_attention: str
) -> None:
    """Without flash attention, cells that the chat does not see cost its tokens as much as its own."""
    options = EngineOptions(window=WINDOW, threads=1, threads_batch=1, flash_attn=flash_attention)
    model = LlamaModel(tiny_gguf, options, SnapshotFolder(tmp_path / "kv"))
    list(model.load(Cancel()))
    cells_of(model).save("one", told(model, words(model, 300)), Cancel())
    told(model, words(model, 80, first="other"))
    assert cells_of(model).cells(BRANCH) == (312 if flash_attention == "on" else 0)
    model.close()


@pytest.mark.parametrize("make_model", WHOLE, indirect=True)
def test_where_nothing_can_be_cut_back_another_answer_is_read_from_where_the_turn_began(
    model: Model, make_model: MakeModel
) -> None:
    first = told(model, words(model, 100))
    told(model, first + words(model, 40, first="asked"))
    for number in range(3):
        edited = first + words(model, 30, first=f"edited {number}")
        plan = cells_of(model).plan(edited, 12)
        assert (plan.reused, plan.evaluated) == (len(first), 30)
        read, *_, last = begin(model, edited, Cancel(), limit=12)
        assert read == Prefilled(0, 30)
        assert last == answer(make_model(), edited, limit=12)


@pytest.mark.parametrize("make_model", WHOLE, indirect=True)
def test_where_a_turn_began_holds_also_behind_side_work_and_reading_ahead(model: Model) -> None:
    first = told(model, words(model, 100))
    answered = told(model, first + words(model, 40, first="asked"))
    answer(model, words(model, 30, first="aside"), aside=True)
    answer(model, answered + words(model, 5, first="settled"), limit=0)
    assert cells_of(model).plan(first + words(model, 30, first="edited"), 12).reused == len(first)
