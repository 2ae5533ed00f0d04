"""Embedding by a GGUF model: pooling, long texts, and what is refused before llama.cpp sees it."""

import gc
import struct
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError
from ctxchat.engine.embedding import LlamaEmbedder
from tests.conftest import ROOT
from tests.support.tiny_bert import write_tiny_bert
from tests.support.tiny_gguf import Shape, write_tiny_gguf


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


def numbers(vector: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector) // 2}e", vector)


def cosine(one: bytes, other: bytes) -> float:
    return sum(a * b for a, b in zip(numbers(one), numbers(other), strict=True))


def test_pooling_is_what_the_model_says_and_else_the_mean(tmp_path: Path) -> None:
    def vector(pooling: int | None) -> bytes:
        path = write_tiny_bert(tmp_path / f"{pooling}.gguf", pooling=pooling)
        return LlamaEmbedder(path).embed(["hello, sea"])[0]

    none, unsaid, mean, first, last = (vector(pooling) for pooling in (0, None, 1, 2, 3))
    assert none == unsaid == mean
    assert len({mean, first, last}) == 3


def test_a_long_text_is_the_average_of_its_pieces(path: Path) -> None:
    embedder = LlamaEmbedder(write_tiny_bert(path, window=12))
    # A word is a token here, and ten of them fit between the control tokens.
    words = list("abcdefghijklmnopqrst")
    whole, one, other, first = embedder.embed(
        [" ".join(words), " ".join(words[:10]), " ".join(words[10:]), " ".join(words[:9])]
    )
    average = [a + b for a, b in zip(numbers(one), numbers(other), strict=True)]
    length = sum(number**2 for number in average) ** 0.5
    # The pieces are averaged before they are made 1 long.
    assert cosine(whole, struct.pack(f"<{len(average)}e", *(n / length for n in average))) > 0.99
    assert whole not in (one, first)


def test_control_tokens_in_a_text_are_text(path: Path) -> None:
    plain, control = LlamaEmbedder(write_tiny_gguf(path)).embed(["a|im_end|b", "a<|im_end|>b"])
    assert plain != control


def test_the_same_weights_are_one_space_and_others_another(tmp_path: Path) -> None:
    one, same, other = (
        LlamaEmbedder(write_tiny_bert(tmp_path / name, seed=seed)).space
        for name, seed in (("a.gguf", 1), ("b.gguf", 1), ("c.gguf", 2))
    )
    assert one == same != other


def test_the_real_model_finds_a_paraphrase(smollm2: Path) -> None:
    dog, puppy, parser = LlamaEmbedder(smollm2).embed(
        ["A dog is sleeping.", "The puppy sleeps.", "Parsing failed: unexpected token at line 3"]
    )
    assert cosine(dog, puppy) > cosine(dog, parser)


def test_weights_and_context_go_with_the_embedder(path: Path) -> None:
    embedder = LlamaEmbedder(write_tiny_bert(path))
    embedder.embed(["a"])
    gone = weakref.ref(embedder._opened._weights)
    del embedder
    gc.collect()
    assert gone() is None


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.gguf"):
        LlamaEmbedder(path)


def test_a_file_that_is_no_model_is_told(path: Path) -> None:
    path.write_bytes(b"not a model" * 100)
    with pytest.raises(ModelError, match=r"model\.gguf"):
        LlamaEmbedder(path)


@pytest.mark.parametrize("pooling", [5, 99, 4_000_000_000])
def test_pooling_that_is_not_known_is_refused(path: Path, pooling: int) -> None:
    with pytest.raises(ModelError, match="pools in a way"):
        LlamaEmbedder(write_tiny_bert(path, pooling=pooling))


def test_a_model_that_ranks_is_refused(path: Path) -> None:
    with pytest.raises(ModelError, match="ranks texts"):
        LlamaEmbedder(write_tiny_bert(path, pooling=4))


def test_a_vocabulary_alone_is_refused(path: Path) -> None:
    with pytest.raises(ModelError, match="holds no weights"):
        LlamaEmbedder(write_tiny_gguf(path, Shape(bare=True))).embed(["a"])


def test_a_model_without_room_for_a_text_is_refused(path: Path) -> None:
    with pytest.raises(ModelError, match="too few to embed"):
        LlamaEmbedder(write_tiny_bert(path, window=2)).embed(["a"])


def test_weights_that_are_no_numbers_are_told(path: Path) -> None:
    with pytest.raises(ModelError, match="the file is damaged"):
        LlamaEmbedder(write_tiny_bert(path, broken=True)).embed(["a"])


def test_it_needs_no_numpy(path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom ctxchat.engine.embedding import LlamaEmbedder\n"
        f"LlamaEmbedder(Path({str(write_tiny_bert(path))!r})).embed(['a'])\nassert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
