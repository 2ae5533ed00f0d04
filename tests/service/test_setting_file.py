"""One setting changed in the person's settings file."""

import os
import stat
import tomllib
from pathlib import Path

import pytest

from ctxchat.domain.errors import SettingsError
from ctxchat.service.setting_file import write_setting

COMMENTED = """# my settings

[model]   # the model
path = "old.gguf" # for now
threads = 3

[sampling]
temperature = 0.2   # cool
"""


def use_model(model: Path, file: Path) -> None:
    write_setting("model.path", str(model.absolute()), file)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_path_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(COMMENTED)
    file.chmod(0o640)
    use_model(Path("/models/new.gguf"), file)
    assert file.read_text() == COMMENTED.replace("old.gguf", "/models/new.gguf")
    assert mode(file) == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_not_there_is_made_for_the_person_alone(tmp_path: Path) -> None:
    file = tmp_path / "one" / "two" / "config.toml"
    use_model(Path("relative.gguf"), file)
    assert tomllib.loads(file.read_text()) == {"model": {"path": str(Path.cwd() / "relative.gguf")}}
    assert mode(file) == 0o600
    assert mode(file.parent) == mode(file.parent.parent) == 0o700


def test_a_section_is_added_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[sampling]\nseed = 1\n")
    use_model(Path('/a "b"/m.gguf'), file)
    assert tomllib.loads(file.read_text()) == {"sampling": {"seed": 1}, "model": {"path": '/a "b"/m.gguf'}}
    assert file.read_text().startswith("[sampling]\nseed = 1\n")


def test_any_kind_of_value_is_written_and_none_takes_the_key_out(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(COMMENTED)
    write_setting("notes.collections", ("work", "home"), file)
    write_setting("kv.offload", False, file)
    write_setting("sampling.temperature", None, file)
    write_setting("sampling.seed", None, file)
    found = tomllib.loads(file.read_text())
    assert found["notes"] == {"collections": ["work", "home"]}
    assert found["kv"] == {"offload": False}
    assert found["sampling"] == {}
    assert file.read_text().startswith(COMMENTED.partition("temperature")[0])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.toml", tmp_path / "config.toml"
    real.write_text("")
    link.symlink_to(real)
    use_model(Path("/m.gguf"), link)
    assert link.is_symlink()
    assert tomllib.loads(real.read_text()) == {"model": {"path": "/m.gguf"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[model\npath = 1\n", r"config\.toml:1: "),
        (b"model = 3\n", r"config\.toml: model: must be a section, \[model\]"),
        (b"\xff\xfe", r"config\.toml: is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_understood_is_left_alone(tmp_path: Path, text: bytes, words: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(text)
    with pytest.raises(SettingsError, match=words) as caught:
        use_model(Path("/m.gguf"), file)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == text


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        use_model(Path("/m.gguf"), tmp_path)


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"config\.toml: cannot "):
        use_model(Path("/m.gguf"), tmp_path / "file" / "config.toml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SettingsError, match="cannot be written: Permission denied"):
        use_model(Path("/m.gguf"), tmp_path / "config.toml")
