"""Models for the tests of the engine."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions, resolve
from ctxchat.engine.llama.vocabulary import LlamaVocabulary
from ctxchat.engine.llama.weights import LlamaWeights
from tests.support.tiny_gguf import Shape, write_tiny_gguf

SOURCE = "CTXCHAT_LLAMA_SOURCE"
"""Names the unpacked source of llama-cpp-python, which brings vocabularies of many families."""

OpenModel = Callable[..., LlamaModel]


@pytest.fixture
def open_model(tmp_path: Path) -> Iterator[OpenModel]:
    """Opens a tiny model of a shape, run with the options given, and closes it at the end."""
    opened: list[LlamaModel] = []

    def open_one(shape: Shape | None = None, **options: object) -> LlamaModel:
        path = write_tiny_gguf(tmp_path / f"tiny-{len(opened)}.gguf", shape)
        options = {"threads": 1, "threads_batch": 1, "window": 512, **options}
        opened.append(LlamaModel(path, EngineOptions(**options)))  # type: ignore[arg-type]
        list(opened[-1].load(Cancel()))
        return opened[-1]

    yield open_one
    for model in opened:
        model.close()


@pytest.fixture(scope="session")
def real_vocabulary() -> Callable[[str], LlamaVocabulary]:
    """Opens a vocabulary of llama.cpp's own tests by its name; skips where they are not there."""
    source = os.environ.get(SOURCE)
    if not source:
        pytest.skip(f"{SOURCE} does not say where llama-cpp-python's source lies")

    def open_one(name: str) -> LlamaVocabulary:
        path = Path(source) / f"vendor/llama.cpp/models/ggml-vocab-{name}.gguf"
        if not path.is_file():
            pytest.skip(f"there is no {path}")
        return open_vocabulary(path)

    return open_one


def open_vocabulary(path: Path) -> LlamaVocabulary:
    options = EngineOptions()
    resolved = resolve(options, can_offload=False, cores=1, trained_window=None)
    header = read_header(path)
    weights = LlamaWeights(header, options, resolved, lambda _: True, vocabulary_only=True)
    return LlamaVocabulary(weights, header.vocabulary_fingerprint())
