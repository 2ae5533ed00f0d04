"""The example file names every key and can be taken as it stands."""

import re
import tomllib
from pathlib import Path

from ctxchat.settings.example import example_toml
from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import KEYS, value_of

FILE = Path(__file__).parents[2] / "config.example.toml"


def test_the_file_is_the_one_the_schema_makes() -> None:
    assert FILE.read_text() == example_toml()


def test_nothing_in_it_is_set() -> None:
    assert not any(tomllib.loads(example_toml()).values())


def test_every_key_stands_in_it_and_every_line_is_valid_once_uncommented(tmp_path: Path) -> None:
    uncommented = re.sub(r"^# (?=\w+ = )", "", example_toml(), flags=re.MULTILINE)
    sections = tomllib.loads(uncommented)
    assert {f"{section}.{key}" for section in sections for key in sections[section]} == set(KEYS)
    (tmp_path / "config.toml").write_text(uncommented)
    settings = load_settings({}, {"CTXCHAT_CONFIG": str(tmp_path / "config.toml")}, tmp_path)
    for path, key in KEYS.items():
        if key.default not in (None, ()):
            assert value_of(settings, path) == key.default
