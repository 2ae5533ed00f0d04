"""The models that the contract is held against: one written down, one tiny, one real."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.ports import Model
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from tests.support.scripted import ScriptedModel

WINDOW = 512
FAST = ("scripted", "tiny")
EVERY = (*FAST, pytest.param("smollm2", marks=pytest.mark.model))

MakeModel = Callable[[], Model]


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of 1 MB."""
    from tests.support.tiny_gguf import write_tiny_gguf

    return write_tiny_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(params=FAST)
def make_model(request: pytest.FixtureRequest) -> Iterator[MakeModel]:
    """Makes models that are not loaded yet, and closes them at the end."""
    made: list[Model] = []

    def make() -> Model:
        made.append(_make(request))
        return made[-1]

    yield make
    for model in made:
        model.close()


@pytest.fixture
def model(make_model: MakeModel) -> Model:
    """A loaded model."""
    model = make_model()
    list(model.load(Cancel()))
    return model


def _make(request: pytest.FixtureRequest) -> Model:
    if request.param == "scripted":
        return ScriptedModel(window=WINDOW)
    path = request.getfixturevalue("tiny_gguf" if request.param == "tiny" else "smollm2")
    return LlamaModel(path, EngineOptions(window=WINDOW, threads=1, threads_batch=1, batch_size=32))
