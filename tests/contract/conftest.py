"""The models that the contract is held against: written down, tiny, real, and behind doubles of servers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.ports import Model
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from tests.support.scripted import ScriptedModel

WINDOW = 512
FAST = ("scripted", "tiny")
FILES = {
    "tiny": "tiny_gguf",
    "recurrent": "recurrent_gguf",
    "sliding": "sliding_gguf",
    "hybrid": "hybrid_gguf",
    "smollm2": "smollm2",
}
EVERY = (*FAST, pytest.param("smollm2", marks=pytest.mark.model))

BY_IDS = ("vLLM", "vLLM's vocabulary", "llama-server", "llama-server's vocabulary")
"""Servers that take token ids: with the model's file here, and with what they tell of it."""

BY_MESSAGES = "OpenAI API"

RUNS: dict[str, tuple[str, dict[str, str]]] = {
    "scripted": ("scripted", {}),
    "f16": ("tiny", {"flash_attn": "off"}),
    "f16, flash attention": ("tiny", {"flash_attn": "on"}),
    "q8_0 keys": ("tiny", {"type_k": "q8_0", "flash_attn": "off"}),
    "q8_0, flash attention": ("tiny", {"type_k": "q8_0", "type_v": "q8_0"}),
    "recurrent": ("recurrent", {}),
    "sliding window": ("sliding", {}),
    "hybrid": ("hybrid", {}),
    "SmolLM2": ("smollm2", {}),
}
"""Ways of running a model that differ in their cells."""

SAYS = "the quickbrownfxjmpsvlazydgTHEQUICKBROWNFXJMPSVLAZYDG0123456789.,;:!?()+-*/=&%$#@"
"""No letter twice, by which each is followed by the next."""

MakeModel = Callable[[], Model]


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of 1 MB."""
    from tests.support.tiny_gguf import write_tiny_gguf

    return write_tiny_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="session")
def recurrent_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model that has a state instead of cells."""
    from tests.support.tiny_mamba import write_tiny_mamba

    return write_tiny_mamba(tmp_path_factory.mktemp("models") / "tiny-mamba.gguf")


@pytest.fixture(scope="session")
def sliding_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of which most layers see the last tokens alone."""
    from tests.support.tiny_sliding import write_tiny_sliding

    return write_tiny_sliding(tmp_path_factory.mktemp("models") / "tiny-sliding.gguf")


@pytest.fixture(scope="session")
def hybrid_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of which half the layers have a state instead of cells."""
    from tests.support.tiny_hybrid import write_tiny_hybrid

    return write_tiny_hybrid(tmp_path_factory.mktemp("models") / "tiny-hybrid.gguf")


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


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Model]]:
    """Makes models behind doubles of servers, by the names above. What the model says is ASCII: of a token
    that is no whole character llama-server says nothing."""
    from tests.support.servers.backing import Backing
    from tests.support.servers.named import running_named
    from tests.support.tiny_gguf import Shape, write_tiny_gguf

    folder = tmp_path_factory.mktemp("served")
    path = write_tiny_gguf(folder / "says.gguf", Shape(says=SAYS))
    with ExitStack() as held:
        backing = Backing(path, WINDOW)
        held.callback(backing.close)
        make = running_named(backing, folder, held)
        yield make


def _make(request: pytest.FixtureRequest) -> Model:
    if request.param == "scripted":
        return ScriptedModel(window=WINDOW)
    if request.param in (*BY_IDS, BY_MESSAGES):
        made: Model = request.getfixturevalue("serve")(request.param)
        return made
    path = request.getfixturevalue(FILES[request.param])
    return LlamaModel(path, EngineOptions(window=WINDOW, threads=1, threads_batch=1, batch_size=32))
