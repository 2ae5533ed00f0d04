"""Models behind doubles, by the name of what is served and how much of it is known here."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from ctxchat.domain.ports import Model
from ctxchat.engine.server.model import ServerModel
from tests.support.server_models import server_options
from tests.support.servers.backing import Backing
from tests.support.servers.double import Body, Double, running
from tests.support.servers.llama_double import LlamaDouble
from tests.support.servers.llama_facts import props
from tests.support.servers.openai_double import OpenAiDouble
from tests.support.servers.vllm_double import VllmDouble
from tests.support.servers.wire import Exchange


class FarLlamaDouble(LlamaDouble):
    """llama-server on another machine: its file is not here."""

    @property
    def routes(self) -> dict[tuple[str, str], Callable[[Exchange, Body], None]]:
        told = props(self) | {"model_path": "/far/away/model.gguf"}
        return {**super().routes, ("GET", "/props"): lambda exchange, _: exchange.json(told)}


KINDS: dict[str, type[Double]] = {
    "vLLM": VllmDouble,
    "vLLM's vocabulary": VllmDouble,
    "llama-server": LlamaDouble,
    "llama-server's vocabulary": FarLlamaDouble,
    "OpenAI API": OpenAiDouble,
}


def running_named(backing: Backing, folder: Path, held: ExitStack) -> Callable[[str], Model]:
    """Makes models that are not loaded, each name behind one double that runs until `held` is closed."""

    @cache
    def double(name: str) -> Double:
        return held.enter_context(running(KINDS[name](backing)))

    def make(name: str) -> Model:
        served = double(name)
        vocabulary = str(backing.path) if name == "vLLM" else None
        return ServerModel(server_options(served.url, folder, key=served.key, vocabulary=vocabulary))

    return make
