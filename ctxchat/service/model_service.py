"""Models as a front end shows and changes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ctxchat.domain.model import ModelFile
from ctxchat.service.servers import Servers
from ctxchat.service.setting_file import write_setting
from ctxchat.settings.server import reference_to

if TYPE_CHECKING:
    from ctxchat.service.model_in_use import OpenedModel


class Library(Protocol):
    """Model files that can be named. All raise ModelError for one that cannot be used."""

    def list(self) -> list[ModelFile]: ...

    def names(self) -> Sequence[str]: ...

    def usable(self, reference: str | None) -> Path: ...

    def info(self, reference: str) -> tuple[ModelFile, dict[str, object]]: ...


@dataclass(frozen=True)
class ModelService:
    """Models by their path, or by the name the listing gives, and those at servers by `server:NAME`. All
    raise ModelError where there is none."""

    library: Library
    opened: "Callable[[Path], OpenedModel]"
    settings_file: Path
    servers: Servers

    def listing(self) -> list[ModelFile]:
        """Files, then servers. None of these is asked for anything."""
        return [*self.library.list(), *self.servers.listing()]

    def names(self) -> list[str]:
        """What they are called, without reading any."""
        return [*self.library.names(), *self.servers.names()]

    def info(self, reference: str) -> tuple[ModelFile, dict[str, object]]:
        """A model, with what its file says of itself, or its server when it is asked now."""
        server = self.servers.named(reference)
        return self.library.info(reference) if server is None else self.servers.info(server)

    def opener(self, reference: str) -> "Callable[[], OpenedModel]":
        """What opens a model, for `ChatService.use_model`. Its file is looked at now."""
        server = self.servers.named(reference)
        if server is not None:
            return lambda: self.servers.opened(server)
        path = self.library.usable(reference)
        return lambda: self.opened(path)

    def use(self, reference: str) -> str:
        """Write a model into the settings file as the one that is used. Raises SettingsError too."""
        server = self.servers.named(reference)
        used = str(self.library.usable(reference).absolute()) if server is None else reference_to(server)
        write_setting("model.path", used, self.settings_file)
        return used
