"""Models behind the doubles."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxchat.engine.server.model import ServerModel
from tests.support.server_models import loaded_server
from tests.support.servers.double import Double

Load = Callable[..., ServerModel]

DOUBLES = ("vllm_double", "llama_double", "openai_double")


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is learned of costs and of vocabularies stays in the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Loads models behind servers, and closes them at the end."""
    loaded: list[ServerModel] = []

    def open_model(url: str, **changed: object) -> ServerModel:
        loaded.append(loaded_server(url, tmp_path / "servers", **changed))
        return loaded[-1]

    yield open_model
    for model in loaded:
        model.close()


@pytest.fixture(params=DOUBLES)
def double(request: pytest.FixtureRequest) -> Double:
    """A double of each dialect, that is told nothing to say yet."""
    found: Double = request.getfixturevalue(request.param)
    found.backing.says.clear()
    return found


@pytest.fixture
def model(double: Double, load: Load) -> ServerModel:
    """The model behind it."""
    return load(double.url, key=double.key)
