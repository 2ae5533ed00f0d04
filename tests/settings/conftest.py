from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import Settings


@pytest.fixture
def user_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the person's settings are looked for; not made."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "ctxchat"
    folder.mkdir(parents=True)
    return folder / "config.toml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder, the current one of `load`."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def load(user_file: Path, project: Path) -> Callable[..., Settings]:
    def call(flags: dict[str, object] | None = None, **variables: str) -> Settings:
        return load_settings(flags or {}, variables, project)

    return call
