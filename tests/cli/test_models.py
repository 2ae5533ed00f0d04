"""`models` lists files, looks into one, and makes one the person's."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

pytestmark = pytest.mark.model
Run = Callable[..., Ran]
FIELDS = [
    "name", "path", "architecture", "parameters", "quantization", "bytes", "window", "kv_bytes_per_token",
    "source", "error",
]  # fmt: skip


def test_the_list_tells_of_each_file_and_what_is_wrong_with_it(
    run: Run, smollm2: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/broken.gguf").write_bytes(b"GGUF")
    models = json.loads(run("models", "list", "--json", CTXCHAT_MODEL_FOLDERS=str(tmp_path / "mine")).stdout)
    by_name = {model["name"]: model for model in models}
    assert all(sorted(model) == sorted(FIELDS) for model in models)
    assert by_name["broken"]["error"]
    assert by_name[smollm2.stem]["kv_bytes_per_token"] == 23040
    assert by_name[smollm2.stem]["error"] is None
    table = run("models", "list").stdout
    assert smollm2.stem in table
    assert "134,515,008" in table


def test_info_has_the_metadata_of_the_file(run: Run, smollm2: Path) -> None:
    info = json.loads(run("models", "info", str(smollm2), "--json").stdout)
    assert sorted(info) == sorted([*FIELDS, "metadata"])
    assert info["metadata"]["general.architecture"] == "llama"
    shown = run("models", "info", str(smollm2)).stdout
    assert "general.architecture" in shown
    assert "gpt2, smollm, 49,152 texts" in shown
    assert "the system message goes in a message of its own" in shown
    assert "ChatML" in shown


def test_a_file_that_cannot_be_read_exits_3(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    for command in ("info", "use"):
        ended = run("models", command, str(tmp_path / "broken.gguf"))
        assert (ended.returncode, ended.stdout) == (3, "")
        assert ended.stderr.count("\n") == 1


def test_use_writes_the_settings_file_and_says_what_is_stronger(run: Run, smollm2: Path, home: Path) -> None:
    used = run("models", "use", str(smollm2))
    assert (used.returncode, used.stderr) == (0, "")
    shown = {entry["key"]: entry for entry in json.loads(run("config", "show", "--json").stdout)}
    assert shown["model.path"]["value"] == str(smollm2)
    assert shown["model.path"]["origin"] == f"{home / 'config/ctxchat/config.toml'}:2"
    (home / "ctxchat.toml").write_text('[model]\npath = "other"\n')
    assert f"{home / 'ctxchat.toml'}:2 is stronger" in run("models", "use", str(smollm2)).stderr


def test_fit_tells_what_a_model_takes_without_loading_it(run: Run, smollm2: Path) -> None:
    fit = json.loads(run("models", "fit", str(smollm2), "--json").stdout)
    assert sorted(fit) == ["devices", "n_gpu_layers", "reason", "type_k", "type_v", "window"]
    assert (fit["window"], fit["type_k"], fit["type_v"]) == (8192, "f16", "f16")
    assert all(sorted(device) == ["free", "name", "used"] for device in fit["devices"])
    host = fit["devices"][-1]
    assert host["name"] == "CPU"
    assert host["used"] < host["free"]
    smaller = run("models", "fit", str(smollm2), "--ctx-size", "256", "-ctk", "q8_0")
    assert "256" in smaller.stdout
    assert "q8_0, f16" in smaller.stdout


def test_what_cannot_fit_exits_3_with_the_numbers_and_what_would(run: Run, smollm2: Path) -> None:
    for command in (("models", "fit", str(smollm2)), ("ask", "-m", str(smollm2), "hi")):
        ended = run(*command, "--ctx-size", "500000000")
        assert (ended.returncode, ended.stdout) == (3, "")
        assert ended.stderr.count("\n") == 1
        assert "with a window of 500,000,000 needs" in ended.stderr
        assert "would fit" in ended.stderr
