"""Models as a front end shows and changes them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ctxchat.domain.model import ModelFile
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.service.models import use_model


class Library(Protocol):
    """Model files that can be named. All raise ModelError for one that cannot be used."""

    def list(self) -> list[ModelFile]: ...

    def usable(self, reference: str | None) -> Path: ...

    def info(self, reference: str) -> tuple[ModelFile, dict[str, object]]: ...


@dataclass(frozen=True)
class ModelService:
    """Models by their path, or by the name the listing gives. All raise ModelError where there is none."""

    library: Library
    opened: Callable[[Path], OpenedModel]
    settings_file: Path

    def listing(self) -> list[ModelFile]:
        return self.library.list()

    def info(self, reference: str) -> tuple[ModelFile, dict[str, object]]:
        """A model, with what its file says of itself."""
        return self.library.info(reference)

    def opener(self, reference: str) -> Callable[[], OpenedModel]:
        """What opens a model, for `ChatService.use_model`. Its file is looked at now."""
        path = self.library.usable(reference)
        return lambda: self.opened(path)

    def use(self, reference: str) -> Path:
        """Write a model into the settings file as the one that is used. Raises SettingsError too."""
        path = self.library.usable(reference)
        use_model(path, self.settings_file)
        return path
