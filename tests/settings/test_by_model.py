from pathlib import Path

import pytest

from ctxchat.domain.errors import SettingsError
from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import context_for

TEXT = '[context]\ncompact_at = 0.9\n\n[context.models."SmolLM2*"]\ncompact_at = 0.7\nbudget = 900\n'


def write(folder: Path, text: str) -> dict[str, str]:
    (folder / "ctxchat.toml").write_text(text)
    return {"CTXCHAT_CONFIG": str(folder / "ctxchat.toml")}


def test_a_model_has_settings_of_its_own(tmp_path: Path) -> None:
    settings = load_settings(environ=write(tmp_path, TEXT), cwd=tmp_path / "elsewhere")
    smol, other = context_for(settings, "smollm2-135M"), context_for(settings, "Qwen3")
    assert (smol.compact_at, smol.budget) == (0.7, 900)
    assert (other.compact_at, other.budget) == (0.9, None)


def test_what_is_typed_holds_for_every_model(tmp_path: Path) -> None:
    environ = write(tmp_path, TEXT) | {"CTXCHAT_CONTEXT_COMPACT_AT": "0.6"}
    settings = load_settings({"context.budget": 500}, environ, tmp_path / "elsewhere")
    smol = context_for(settings, "SmolLM2-135M")
    assert (smol.compact_at, smol.budget) == (0.6, 500)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[context.models."a"]\nbugdet = 1\n', "unknown key"),
        ('[context.models."a"]\nbudget = "x"\n', "must be"),
        ("[context]\nmodels = 3\n", "context.models"),
    ],
)
def test_what_is_wrong_with_a_models_settings_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(environ=write(tmp_path, text), cwd=tmp_path / "elsewhere")
