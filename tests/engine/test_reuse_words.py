"""What a model's cache allows is told from its header, and is what the model does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.gguf.reuse_words import reuse_words
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from tests.support.tiny_gguf import Shape, write_tiny_gguf
from tests.support.tiny_hybrid import write_tiny_hybrid
from tests.support.tiny_mamba import write_tiny_mamba
from tests.support.tiny_sliding import write_tiny_sliding
from tests.support.turns import answer, words


@pytest.mark.parametrize(
    ("write", "told", "reused"),
    [
        (write_tiny_gguf, "whatever a prompt begins with", 40),
        (write_tiny_sliding, "layers that see 64 tokens keep all of them", 40),
        (write_tiny_mamba, "2 of 2 layers keep a state that cannot be cut back", 0),
        (write_tiny_hybrid, "2 of 4 layers keep a state that cannot be cut back", 0),
    ],
)
def test_what_is_told_is_what_is_reused(
    tmp_path: Path, write: Callable[[Path], Path], told: str, reused: int
) -> None:
    path = write(tmp_path / "model.gguf")
    assert reuse_words(read_header(path)).startswith(told)
    model = LlamaModel(path, EngineOptions(window=256, threads=1, threads_batch=1))
    list(model.load(Cancel()))
    ids = words(model, 60)
    answer(model, ids)
    assert model.cache.plan(ids[:40] + words(model, 20, first="~"), 12).reused == reused
    model.close()


def test_a_window_that_llama_cpp_passes_over_is_not_told_of(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "m.gguf", Shape(more={"llama.attention.sliding_window": 64}))
    assert reuse_words(read_header(path)).startswith("whatever")
