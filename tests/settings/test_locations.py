"""Folders are the platform's, made only when written, and private."""

import sys
from pathlib import Path

import pytest

from ctxchat import locations
from ctxchat.domain.errors import StoreError

linux = pytest.mark.skipif(sys.platform != "linux", reason="XDG folders are Linux's")


@linux
def test_xdg_variables_are_honoured_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    assert locations.data_folder() == tmp_path / "DATA/ctxchat"
    assert locations.models_folder() == tmp_path / "DATA/ctxchat/models"
    assert locations.config_folder() == tmp_path / "CONFIG/ctxchat"
    assert locations.cache_folder() == tmp_path / "CACHE/ctxchat"
    assert locations.state_folder() == tmp_path / "STATE/ctxchat"
    assert list(tmp_path.iterdir()) == []


def test_a_private_folder_and_what_is_made_above_it_are_for_the_person_alone(tmp_path: Path) -> None:
    folder = locations.private_folder(tmp_path / "a" / "b")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert locations.private_folder(folder) == folder


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match="cannot make the folder"):
            locations.private_folder(folder)
