"""llama.cpp as a model: against a bare loop, and against what would bring the process down."""

import ctypes
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError, ModelError, UsageError
from ctxchat.domain.events import TextGenerated
from ctxchat.domain.model import Generation, ReasoningTags
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.sampler import sampler
from tests.support.tiny_gguf import TOKENS, Shape, write_tiny_gguf
from tests.support.turns import answer, begin, words

OpenModel = Callable[..., LlamaModel]


def bare_loop(model: LlamaModel, ids: tuple[int, ...], sampling: Sampling, limit: int) -> list[int]:
    """The plainest loop over the low-level interface, in a context of its own."""
    assert model._loaded
    lib = library()
    parameters = lib.llama_context_default_params()
    parameters.n_ctx, parameters.n_threads, parameters.n_threads_batch = 512, 1, 1
    parameters.flash_attn_type = 0
    context = lib.llama_init_from_model(model._loaded.weights.pointer, parameters)
    batch: Any = (ctypes.c_int32 * len(ids))(*ids)
    said = []
    with sampler(sampling, model.vocabulary.size, ids) as chain:
        for _ in range(limit):
            assert lib.llama_decode(context, lib.llama_batch_get_one(batch, len(batch))) == 0
            said.append(lib.llama_sampler_sample(chain, context, -1))
            batch = (ctypes.c_int32 * 1)(said[-1])
    lib.llama_free(context)
    return said


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0),
        Sampling(temperature=1.5, seed=3),
        Sampling(temperature=0, frequency_penalty=0.5, repeat_penalty=1.2, repeat_last_n=8),
    ],
)
def test_an_answer_is_that_of_a_bare_loop(open_model: OpenModel, sampling: Sampling) -> None:
    model = open_model()
    ids = words(model, 30)
    *_, last = model.generate(Generation(ids, sampling, 60), Cancel())
    assert list(last.text_ids) == bare_loop(model, ids, sampling, 60)  # type: ignore[union-attr]


@pytest.mark.model
def test_an_answer_of_the_real_model_is_that_of_a_bare_loop(smollm2: Path) -> None:
    model = LlamaModel(smollm2, EngineOptions(window=512, threads=1, threads_batch=1))
    list(model.load(Cancel()))
    ids = words(model, 30)
    assert list(answer(model, ids, limit=12).text_ids) == bare_loop(model, ids, Sampling(temperature=0), 12)
    assert model.cache.bytes_per_token == 23_040
    model.close()


def test_a_model_that_ends_its_turn_stops_and_its_last_token_is_in_no_cell(open_model: OpenModel) -> None:
    model = open_model(Shape(says="né. <|", layers=1))
    *events, last = begin(model, (0, 0, 0), Cancel(), limit=100)
    assert (last.finish, last.text) == (Finish.STOP, "né. <|")  # type: ignore[union-attr]
    assert [e.text for e in events if isinstance(e, TextGenerated)] == list("né. <|")
    assert model.cache.cells() == 3 + len("né. <|".encode())


def test_a_real_stop_string_over_several_tokens_does_not_leak(open_model: OpenModel) -> None:
    model = open_model(Shape(says="abcdef", layers=1))
    *events, last = begin(model, (0, 0, 0), Cancel(), limit=100, stop=("cde", "xyz"))
    assert (last.finish, last.text, last.text_ids) == (  # type: ignore[union-attr]
        Finish.STOP,
        "ab",
        (TOKENS.index("a"), TOKENS.index("b")),
    )
    assert [e.text for e in events if isinstance(e, TextGenerated)] == ["a", "b"]


def test_tags_over_several_tokens_are_not_shown(open_model: OpenModel) -> None:
    model = open_model(Shape(says="<why> \nso", layers=1))
    *_, last = begin(model, (0, 0, 0), Cancel(), limit=100, tags=ReasoningTags("<", ">"))
    assert (last.reasoning, last.text) == ("why", "so")  # type: ignore[union-attr]


def test_an_id_the_vocabulary_does_not_hold_is_refused(open_model: OpenModel) -> None:
    model = open_model()
    for stranger in (-1, len(TOKENS)):
        with pytest.raises(EngineError, match=f"token {stranger}"):
            answer(model, (1, stranger, 2))
    assert answer(model, (1, 2)).text_ids


def test_weights_that_predict_nothing_are_told_and_do_not_end_the_process(open_model: OpenModel) -> None:
    model = open_model(Shape(broken=True))
    with pytest.raises(EngineError, match="damaged"):
        answer(model, (1, 2, 3))


@pytest.mark.parametrize("batch", [1, 7, 64, 4096])
def test_any_batch_size_answers(open_model: OpenModel, batch: int) -> None:
    assert len(answer(open_model(batch_size=batch), tuple(range(100))).text_ids) == 12


def test_a_piece_of_a_batch_answers_as_the_whole(open_model: OpenModel) -> None:
    ids = tuple(range(200))
    assert answer(open_model(batch_size=128, ubatch_size=32), ids) == answer(open_model(), ids)


def test_without_its_weights_a_model_counts_and_does_not_answer(tmp_path: Path) -> None:
    model = LlamaModel(write_tiny_gguf(tmp_path / "tiny.gguf"), EngineOptions(threads=1))
    assert list(model.load(Cancel(), weights=False)) == []
    assert model.vocabulary.tokenize("the", special=False, after=None)
    assert (model.facts.layers, model.facts.window, model.memory().weights) == (2, 2048, 0)
    with pytest.raises(EngineError, match="without its weights"):
        answer(model, (1, 2, 3))
    list(model.load(Cancel()))
    assert answer(model, (1, 2, 3)).text_ids
    model.close()


def test_a_file_without_weights_is_refused(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", Shape(bare=True))
    with pytest.raises(ModelError, match="holds no weights"):
        list(LlamaModel(path).load(Cancel()))


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        ({"llama.pooling_type": 1}, "an embedding model"),
        ({"llama.attention.causal": False}, "an embedding model"),
    ],
)
def test_what_cannot_chat_is_refused(tmp_path: Path, metadata: dict[str, object], kind: str) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", Shape(more=metadata))
    with pytest.raises(ModelError, match=f"is {kind} .* cannot chat"):
        list(LlamaModel(path).load(Cancel()))


def test_a_model_llama_cpp_does_not_open_is_told_with_its_reason(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", Shape(feed_forward=64, told_feed_forward=96))
    with pytest.raises(ModelError, match=r"cannot be opened: .*ffn"):
        list(LlamaModel(path).load(Cancel()))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.gguf"):
        list(LlamaModel(tmp_path / "absent.gguf").load(Cancel()))


def test_more_devices_than_there_can_be_are_refused(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf")
    with pytest.raises(UsageError, match="--tensor-split"):
        list(LlamaModel(path, EngineOptions(tensor_split=(1.0,) * 1000)).load(Cancel()))


def test_a_model_without_a_chat_template_has_one(open_model: OpenModel) -> None:
    assert open_model(Shape(template=None)).template.behaviour.takes_system


def test_closing_while_an_answer_is_written_ends_it(open_model: OpenModel) -> None:
    model = open_model()
    events = begin(model, words(model, 20), Cancel(), limit=400)
    next(events)
    model.close()
    *_, last = events
    assert last.finish is Finish.CANCELLED or len(last.text_ids) == 400  # type: ignore[union-attr]


def test_closing_frees_the_weights_once_nobody_reads_the_vocabulary(open_model: OpenModel) -> None:
    model = open_model()
    answer(model, (1, 2, 3))
    vocabulary = model.vocabulary
    assert model._loaded
    weights = weakref.ref(model._loaded.weights)
    model.close()
    assert vocabulary.tokenize("the", special=False, after=None)
    del vocabulary
    assert weights() is None
