"""A model that a server runs."""

from collections.abc import Iterator

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import EngineEvent, ModelLoading
from ctxchat.domain.measurement import Calibration
from ctxchat.domain.model import Generation, ModelFacts
from ctxchat.domain.ports import PrefixCache, Template, Vocabulary
from ctxchat.domain.costs import Costs
from ctxchat.engine.server.options import ServerOptions


class ServerModel:
    """A model behind an OpenAI-compatible server; see `domain.ports.Model`. Connects to nothing before
    `load`."""

    def __init__(self, options: ServerOptions) -> None:
        self._options = options

    @property
    def facts(self) -> ModelFacts:
        raise EngineError("the model is not loaded")

    @property
    def vocabulary(self) -> Vocabulary:
        raise EngineError("the model is not loaded")

    @property
    def template(self) -> Template:
        raise EngineError("the model is not loaded")

    @property
    def cache(self) -> None:
        return None

    @property
    def prefixes(self) -> PrefixCache:
        raise EngineError("the model is not loaded")

    @property
    def costs(self) -> Costs | None:
        return None

    def load(self, cancel: Cancel, *, weights: bool = True) -> Iterator[ModelLoading]:
        raise EngineError("the model is not loaded")

    def generate(self, generation: Generation, cancel: Cancel) -> Iterator[EngineEvent]:
        raise EngineError("the model is not loaded")

    def calibrate(self, cancel: Cancel, seconds: float) -> Iterator[Calibration]:
        """Nothing is sent to a server unasked: gives no calibration."""
        return iter(())

    def memory(self) -> None:
        return None

    def close(self) -> None:
        """Safe to call twice."""
