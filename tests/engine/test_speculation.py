"""Drafts change how an answer is evaluated, and nothing of what is chosen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import Generated, TextGenerated
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.domain.speculation import BatchCosts, Speculated
from ctxchat.engine.llama.cells import CHAT, SIDE
from ctxchat.engine.llama.context import LARGEST_BATCH
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from tests.support.tiny_gguf import Shape
from tests.support.tiny_mamba import write_tiny_mamba

OpenModel = Callable[..., LlamaModel]
GREEDY = Sampling(temperature=0)
ALPHABET = Shape(says="abcdefghijklmnopqrstuvwxyz")
FREE = BatchCosts(((1, 1.0), (8, 1.2)))
DEAR = BatchCosts(((1, 1.0), (8, 8.0)))


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    """What is learned in a test is kept in its home."""


def ids(text: str) -> tuple[int, ...]:
    return tuple(text.encode())


def answer(
    model: LlamaModel, prompt: str, limit: int = 40, sampling: Sampling = GREEDY, **more: object
) -> Generated:
    generation = Generation(ids(prompt), sampling, limit, **more)  # type: ignore[arg-type]
    *_, last = model.generate(generation, Cancel())
    assert isinstance(last, Generated)
    return last


def speculated(done: Generated) -> Speculated:
    assert done.speculation
    return done.speculation


def knowing(model: LlamaModel, costs: BatchCosts) -> LlamaModel:
    model.costs.saw_batches(costs, model.costs.threads)
    model.costs.learn()
    return model


@pytest.fixture
def alphabets(open_model: OpenModel) -> tuple[LlamaModel, LlamaModel]:
    """A model that says the alphabet, with drafts and without."""
    return open_model(ALPHABET, speculation="on"), open_model(ALPHABET, speculation="off")


@pytest.mark.parametrize("prompt", ["abcdefghijklmnop-", "abcdefghijklm0pqrst-", "xyz-", "abcXdefXghiX-"])
@pytest.mark.parametrize("limit", [1, 2, 7, 40])
def test_a_greedy_answer_is_the_same_and_so_are_the_cells(
    alphabets: tuple[LlamaModel, LlamaModel], prompt: str, limit: int
) -> None:
    with_drafts, without = (answer(model, prompt, limit) for model in alphabets)
    assert with_drafts.text_ids == without.text_ids
    assert with_drafts.finish is without.finish
    on, off = (model.cache for model in alphabets)
    assert on._cells.ids(CHAT) == off._cells.ids(CHAT)
    assert on._context
    assert on._context.count(CHAT) == on.cells()


def test_text_that_stood_in_the_prompt_is_drafted_and_counted(
    alphabets: tuple[LlamaModel, LlamaModel],
) -> None:
    seen = speculated(answer(alphabets[0], "abcdefghijklmnopqrstuvwxyz-"))
    assert 15 <= seen.accepted <= seen.drafted <= 26
    assert seen.gain is None
    assert answer(alphabets[1], "abcdef-").speculation is None


def test_sampling_with_a_seed_gives_the_same_tokens(open_model: OpenModel) -> None:
    shape = Shape(seed=3)
    models = [open_model(shape, speculation=word, type_k="f32", type_v="f32") for word in ("on", "off")]
    sampling = Sampling(temperature=1.2, seed=5, repeat_penalty=1.3, top_k=3)
    with_drafts, without = (answer(model, "abcabcabcabc", 120, sampling) for model in models)
    assert with_drafts.text_ids == without.text_ids
    assert speculated(with_drafts).drafted


def test_after_an_answer_with_drafts_the_next_turn_reuses_all_of_it(
    alphabets: tuple[LlamaModel, LlamaModel],
) -> None:
    model, _ = alphabets
    done = answer(model, "abcdefghijklm-", 9)
    follows = (*ids("abcdefghijklm-"), *done.text_ids, 1)
    assert model.cache.plan(follows, 10).reused == len(follows) - 1
    assert model._opened().costs


def test_side_work_with_drafts_leaves_the_chat_alone(alphabets: tuple[LlamaModel, LlamaModel]) -> None:
    model, without = alphabets
    answer(model, "abcdefghijklmnop-", 5)
    held = model.cache._cells.ids(CHAT)
    aside = answer(model, "abcdefghijklmnop-zab", 12, aside=True)
    assert aside.text == answer(without, "abcdefghijklmnop-zab", 12, aside=True).text
    assert model.cache._cells.ids(CHAT) == held
    assert model.cache.cells(SIDE) == 0


def test_a_stop_text_within_a_draft_ends_the_answer_and_what_is_behind_it_leaves_the_cells(
    alphabets: tuple[LlamaModel, LlamaModel],
) -> None:
    for model in alphabets:
        done = answer(model, "abcdefghijklmnop-", 40, Sampling(temperature=0, stop=("hi",)))
        assert (done.text, done.finish) == ("abcdefg", Finish.STOP)
    assert alphabets[0].cache._cells.ids(CHAT) == alphabets[1].cache._cells.ids(CHAT)


def test_a_grammar_holds_under_drafts(alphabets: tuple[LlamaModel, LlamaModel]) -> None:
    constraint = Constraint('root ::= "abcd" "efghijk" [0-9] [0-9]', "grammar")
    done = [answer(model, "abcdefghijklmnop-", 20, constraint=constraint) for model in alphabets]
    assert done[0].text == done[1].text
    assert done[0].satisfied
    assert speculated(done[0]).accepted


def test_an_answer_stopped_within_a_draft_leaves_what_was_shown_in_the_cells(
    alphabets: tuple[LlamaModel, LlamaModel],
) -> None:
    model, _ = alphabets
    cancel, shown = Cancel(), 0
    prompt = ids("abcdefghijklmnopqrstuvwxyz-")
    for event in model.generate(Generation(prompt, GREEDY, 26), cancel):
        shown += isinstance(event, TextGenerated)
        if shown == 4:
            cancel.request()
    assert isinstance(event, Generated)
    assert model.cache.cells() in range(len(prompt) + len(event.text_ids) - 1, len(prompt) + 27)
    assert model.cache._context
    assert model.cache._context.count(CHAT) == model.cache.cells()


def test_cells_that_run_out_end_the_answer_where_they_would_without_drafts(open_model: OpenModel) -> None:
    lengths = []
    for word in ("on", "off"):
        model = open_model(ALPHABET, speculation=word, window=256)
        done = answer(model, "abcdefghijklmnopqrstuvwxyz-" * 9, 40)
        lengths.append((done.finish, len(done.text_ids), model.cache.cells()))
    assert lengths[0] == lengths[1]


@pytest.mark.parametrize(
    ("word", "costs", "drafts"),
    [
        ("auto", None, False),
        ("auto", FREE, True),
        ("auto", DEAR, False),
        ("on", DEAR, True),
        ("off", FREE, False),
    ],
)
def test_drafts_are_made_where_they_were_measured_to_pay_or_asked_for(
    open_model: OpenModel, word: str, costs: BatchCosts | None, drafts: bool
) -> None:
    model = open_model(ALPHABET, speculation=word)
    if costs:
        knowing(model, costs)
    done = answer(model, "abcdefghijklmnopqrstuvwxyz-")
    assert (done.speculation is not None and done.speculation.drafted > 0) is drafts


def test_the_gain_is_told_and_a_loss_is_too(open_model: OpenModel) -> None:
    quick = knowing(open_model(ALPHABET, speculation="on"), FREE)
    gain = speculated(answer(quick, "abcdefghijklmnopqrstuvwxyz-")).gain
    assert gain
    assert gain > 2
    slow = knowing(open_model(ALPHABET, speculation="on", type_k="f32"), DEAR)
    loss = speculated(answer(slow, "ab1cd2ef3gh4ij5kl6mn7op8-")).gain
    assert loss
    assert loss < 1


def test_what_is_drafted_teaches_nothing_of_decoding_and_what_is_not_does(open_model: OpenModel) -> None:
    model = knowing(open_model(ALPHABET, speculation="on"), FREE)
    done = answer(model, "ab1cdefghijklmnopqrstuvwxyz-")
    (seen,) = model.costs._decoded[1]
    assert 0 < seen.n < len(done.text_ids) - speculated(done).accepted


def test_a_state_that_cannot_be_cut_back_is_never_drafted_into(tmp_path: Path) -> None:
    model = LlamaModel(
        write_tiny_mamba(tmp_path / "mamba.gguf"), EngineOptions(threads=1, window=512, speculation="on")
    )
    list(model.load(Cancel()))
    assert answer(model, "abcabcabc", 8).speculation is None
    model.close()


def test_what_batches_cost_is_calibrated_and_known_to_the_next_process(open_model: OpenModel) -> None:
    model = open_model(window=1024)
    list(model.calibrate(Cancel(), 10))
    costs = model.costs.batches()
    assert costs
    assert [n for n, _ in costs.measured] == [1, 2, 3, 4, 8]
    assert open_model(window=1024).costs.batches() == costs
    off = open_model(window=1024, speculation="off", type_k="f32")
    list(off.calibrate(Cancel(), 10))
    assert off.costs.batches() is None


def test_more_predictions_than_there_is_room_for_are_refused(open_model: OpenModel) -> None:
    model = open_model()
    answer(model, "abc", 1)

    def job(_: object) -> None:
        model.cache.read(range(1, 12), predict=LARGEST_BATCH + 1)

    assert model._worker
    stream: Iterator[None] = model._worker.stream(job, Cancel())
    with pytest.raises(EngineError, match="cannot be asked for at once"):
        list(stream)
