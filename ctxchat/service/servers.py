"""Servers as a front end lists them and looks into them."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import ModelFile
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.settings.server import ServerSettings, named, reference_to

SOURCE = "server"


@dataclass(frozen=True)
class Servers:
    """The servers of the settings by their names, empty for that of `[server]`. `opened` gives the model of
    one, asked for nothing yet."""

    configured: Mapping[str, ServerSettings]
    opened: Callable[[str], OpenedModel]

    def listing(self) -> list[ModelFile]:
        """As rows of models. None is asked for anything."""
        return [self._row(name) for name in self.configured]

    def names(self) -> list[str]:
        return [reference_to(name) for name in self.configured]

    def named(self, reference: str) -> str | None:
        """The name of the server a reference means, None where it means a file. Raises ModelError for one that
        is not there."""
        name = named(reference)
        if name is not None and name not in self.configured:
            there = ", ".join(self.names()) or "none"
            raise ModelError(f"{reference}: the settings have no such server with a url; there is {there}")
        return name

    def info(self, name: str) -> tuple[ModelFile, dict[str, object]]:
        """A server, with what it tells of itself when it is asked now. Raises ModelError."""
        with closing(self.opened(name).model) as model:
            for _ in model.load(Cancel(), weights=False):
                pass
            facts, exact = model.facts, model.vocabulary.exact
            told: dict[str, object] = {
                "model": facts.name,
                "url": facts.path,
                "dialect": facts.architecture,
                "counts": "exact" if exact else "estimated",
            }
        row = self._row(name)
        return (
            ModelFile(row.name, row.path, SOURCE, None, architecture=facts.architecture, window=facts.window),
            told,
        )

    def _row(self, name: str) -> ModelFile:
        return ModelFile(reference_to(name), self.configured[name].url or "", SOURCE, None)
