"""What every Embedder does, whatever it embeds with."""

import struct
from collections.abc import Callable
from math import hypot
from pathlib import Path

import pytest

from ctxchat.domain.ports import Embedder

TEXTS = (
    "We moved to Lisbon in March.",
    "The parser rejects an empty header.",
    "Où est le café?",
    "naïve  \n\ttabs",
)


def table() -> Embedder:
    from ctxchat.store.static_embedding import StaticEmbedder

    return StaticEmbedder()


def by_llama(path: Path) -> Embedder:
    from ctxchat.engine.embedding import LlamaEmbedder

    return LlamaEmbedder(path)


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.support.tiny_bert import write_tiny_bert

    return write_tiny_bert(tmp_path_factory.mktemp("models") / "tiny-bert.gguf")


MAKERS: dict[str, Callable[[pytest.FixtureRequest], Embedder]] = {
    "static": lambda _: table(),
    "bert": lambda request: by_llama(request.getfixturevalue("tiny_bert")),
    "decoder": lambda request: by_llama(request.getfixturevalue("tiny_gguf")),
    "recurrent": lambda request: by_llama(request.getfixturevalue("recurrent_gguf")),
    "smollm2": lambda request: by_llama(request.getfixturevalue("smollm2")),
}
REAL = pytest.param("smollm2", marks=pytest.mark.model)


@pytest.fixture(scope="module", params=["static", "bert", "decoder", "recurrent", REAL])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return MAKERS[request.param](request)


def numbers(vector: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector) // 2}e", vector)


def test_vectors_have_length_one_and_one_dimension(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert {len(vector) for vector in vectors} == {len(vectors[0])}
    assert [hypot(*numbers(vector)) for vector in vectors] == pytest.approx([1.0] * len(TEXTS), abs=2e-3)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_text_without_words_is_all_zeros(embedder: Embedder, text: str) -> None:
    nothing, something = embedder.embed([text, TEXTS[0]])
    assert nothing == bytes(len(something))


def test_the_same_text_has_the_same_vector(embedder: Embedder) -> None:
    assert embedder.embed(TEXTS) == embedder.embed(TEXTS)


def test_other_texts_have_other_vectors(embedder: Embedder) -> None:
    assert len(set(embedder.embed(TEXTS))) == len(TEXTS)


def test_together_they_are_as_one_by_one_and_in_order(embedder: Embedder) -> None:
    assert embedder.embed(TEXTS[::-1]) == [embedder.embed([text])[0] for text in reversed(TEXTS)]


def test_half_a_character_is_a_character_that_is_not_known(embedder: Embedder) -> None:
    half, question_mark = embedder.embed(["a word\ud800", "a word?"])
    assert half == question_mark


def test_nothing_is_nothing(embedder: Embedder) -> None:
    assert embedder.embed([]) == []


def test_the_end_of_a_long_text_counts(embedder: Embedder, request: pytest.FixtureRequest) -> None:
    if "smollm2" in request.node.name:
        pytest.skip("a second of work a hundred tokens; the tiny models are cut the same way")
    long = "the sea and the wind " * 110
    whole, begun = embedder.embed([long + "an engine " * 9, long])
    assert len(whole) == len(begun)
    assert whole != begun


def test_a_space_is_a_name_and_stays(embedder: Embedder) -> None:
    name = embedder.space
    embedder.embed(TEXTS[:1])
    assert name
    assert embedder.space == name


def test_each_embedder_has_a_space_of_its_own(tiny_bert: Path, tiny_gguf: Path, recurrent_gguf: Path) -> None:
    embedders = (table(), by_llama(tiny_bert), by_llama(tiny_gguf), by_llama(recurrent_gguf))
    assert len({embedder.space for embedder in embedders}) == len(embedders)
