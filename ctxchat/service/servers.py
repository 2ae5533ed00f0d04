"""Servers as a front end lists them and looks into them."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import SERVER, Generation, ModelFacts, ModelFile, TemplateBehaviour
from ctxchat.domain.sampling import Sampling
from ctxchat.settings.server import KEY_VARIABLE, ServerSettings, named, reference_to

if TYPE_CHECKING:
    from ctxchat.domain.ports import Model
    from ctxchat.service.model_in_use import OpenedModel


@dataclass(frozen=True, slots=True)
class ServerLook:
    """What a server told when it was asked. `reports` says whether its answers tell what was cached,
    None where none was asked for."""

    facts: ModelFacts
    exact: bool
    behaviour: TemplateBehaviour
    reports: bool | None = None


@dataclass(frozen=True)
class Servers:
    """The servers of the settings by their names, empty for that of `[server]`. `opened` gives the model of
    one, asked for nothing yet."""

    configured: Mapping[str, ServerSettings]
    opened: "Callable[[str], OpenedModel]"

    def listing(self) -> list[ModelFile]:
        """As rows of models. None is asked for anything."""
        return [self._row(name) for name in self.configured]

    def names(self) -> list[str]:
        return [reference_to(name) for name in self.configured]

    def named(self, reference: str) -> str | None:
        """The name of the server a reference means, None where it means a file. Raises ModelError for one
        that is not there."""
        name = named(reference)
        if name is not None and name not in self.configured:
            there = ", ".join(self.names()) or "none"
            raise ModelError(f"{reference}: the settings have no such server with a url; there is {there}")
        return name

    def info(self, name: str) -> tuple[ModelFile, dict[str, object]]:
        """A server, with what it tells of itself when it is asked now. Raises ModelError."""
        look, row = self.look(name), self._row(name)
        facts = look.facts
        told: dict[str, object] = {
            "model": facts.name,
            "url": facts.path,
            "dialect": facts.architecture,
            "counts": "exact" if look.exact else "estimated",
            "key": key_source(name, self.configured[name]),
        }
        return (
            ModelFile(row.name, row.path, SERVER, None, architecture=facts.architecture, window=facts.window),
            told,
        )

    def look(self, name: str, *, tries: bool = False) -> ServerLook:
        """Ask a server what it is; with `tries` one whose cache can be told of for one token too, to see
        whether it tells. Raises ModelError and EngineError."""
        with closing(self.opened(name).model) as model:
            for _ in model.load(Cancel(), weights=False):
                pass
            reports = _reports(model) if tries and model.vocabulary.exact else None
            return ServerLook(model.facts, model.vocabulary.exact, model.template.behaviour, reports)

    def _row(self, name: str) -> ModelFile:
        return ModelFile(reference_to(name), self.configured[name].url or "", SERVER, None)


def key_source(name: str, server: ServerSettings) -> str:
    """Where a key comes from, never what it is."""
    if server.key_env:
        return f"the environment variable {server.key_env}"
    if server.key_command:
        return "what key_command prints"
    return "none" if name else f"{KEY_VARIABLE}, where it is set"


def _reports(model: "Model") -> bool:
    from ctxchat.domain.events import Generated

    ids = model.vocabulary.begin + model.vocabulary.tokenize("Hello", special=False, after=None)
    for event in model.generate(Generation(ids, Sampling(temperature=0), limit=1), Cancel()):
        if isinstance(event, Generated):
            return event.usage is not None and event.usage.cached is not None
    return False
