"""How a model file is found, by path, by name, by the settings, or because it came along."""

import subprocess
import sys
from pathlib import Path

import pytest

from ctxchat import locations
from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf import places
from ctxchat.engine.gguf.library import ModelLibrary, find_model, known_files
from ctxchat.engine.gguf.places import bundled_file
from tests.conftest import ROOT
from tests.support.header_writer import LLAMA, Tensor, write_gguf

pytestmark = pytest.mark.usefixtures("home")
NAMES = ("Qwen2.5-7B-Instruct-Q4_K_M", "Qwen2.5-14B-Q8_0", "gemma-2-2b-it", "GEMMA-tiny")


@pytest.fixture
def without_bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra `smol` is not installed."""
    monkeypatch.setattr(places, "BUNDLED_PACKAGE", "llm_not_installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / "models" / name[:4]).mkdir(parents=True, exist_ok=True)
        write_gguf(tmp_path / "models" / name[:4] / f"{name}.gguf", LLAMA, [Tensor("t", (64,))])
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("gemma-2-2b-it", "gemma-2-2b-it"),
        ("gemma-2-2b-it.gguf", "gemma-2-2b-it"),
        ("GEMMA-2-2B-IT", "gemma-2-2b-it"),
        ("gemma-2", "gemma-2-2b-it"),
        ("qwen2.5-14", "Qwen2.5-14B-Q8_0"),
    ],
)
def test_a_model_is_found_by_its_name_or_a_beginning_of_it(folder: Path, reference: str, name: str) -> None:
    assert find_model(reference, [folder], None).stem == name


def test_a_model_is_found_by_its_path(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = write_gguf(tmp_path / "elsewhere.gguf")
    monkeypatch.chdir(tmp_path)
    for reference in (str(elsewhere), "elsewhere.gguf", "./elsewhere.gguf", "models/../elsewhere.gguf"):
        assert find_model(reference, [folder], None).resolve() == elsewhere
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_model("~/elsewhere.gguf", [], None) == elsewhere


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("qwen", r"'qwen' could be 'Qwen2\.5-14B-Q8_0' or 'Qwen2\.5-7B-Instruct-Q4_K_M'; write more"),
        ("gema-2-2b", r"there is no model 'gema-2-2b'; did you mean 'gemma-2-2b-it'"),
        ("mistral", r"there is no model 'mistral'; name a GGUF file by its path, see `ctxchat models list`"),
        ("./gemma-2-2b-it", r"there is no model file \./gemma-2-2b-it; .*pip install \"ctxchat\[smol\]\""),
        ("", "there is no model ''"),
    ],
)
def test_a_reference_that_means_no_file_says_what_would(folder: Path, reference: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        find_model(reference, [folder], None)
    assert "\n" not in str(caught.value)


def test_the_settings_name_a_model_where_the_person_does_not(folder: Path) -> None:
    assert find_model(None, [folder], "gemma-2").stem == "gemma-2-2b-it"
    assert find_model("qwen2.5-7", [folder], "gemma-2").stem == "Qwen2.5-7B-Instruct-Q4_K_M"
    with pytest.raises(ModelError, match=r"the settings' model\.path: there is no model 'nothing'"):
        find_model(None, [folder], "nothing")


def test_the_bundled_model_comes_last(smollm2: Path) -> None:
    assert find_model(None, [], None) == bundled_file() == smollm2
    assert find_model("smollm2", [], None) == smollm2
    library = ModelLibrary([], None)
    assert library.is_bundled(library.find(None))
    assert not library.is_bundled(Path("other.gguf"))


def test_finding_the_bundled_model_imports_nothing_of_it() -> None:
    script = (
        "import sys; from ctxchat.engine.gguf.places import bundled_file; bundled_file();"
        "print([name for name in sys.modules if name.startswith(('llm', 'jinja2', 'numpy', 'llama_cpp'))])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout == "[]\n"


@pytest.mark.usefixtures("without_bundled")
def test_without_any_model_the_way_out_is_told() -> None:
    with pytest.raises(ModelError, match=r"no model was named and none is installed: .*ctxchat\[smol\]"):
        find_model(None, [], None)


@pytest.mark.usefixtures("without_bundled", "home")
def test_known_files_are_described_and_broken_ones_say_why(folder: Path) -> None:
    (folder / "broken.gguf").write_bytes(b"GGUF")
    own = locations.models_folder()
    own.mkdir(parents=True)
    write_gguf(own / "mine.gguf")
    found = {file.name: file for file in known_files([own, folder, own, folder.parent / "absent"])}
    assert sorted(found) == sorted([*NAMES, "broken", "mine"])
    assert (found["mine"].source, found["gemma-2-2b-it"].source) == ("ctxchat", str(folder))
    assert found["broken"].error is not None
    assert "is cut short" in found["broken"].error
    assert (found["broken"].bytes, found["broken"].window) == (4, None)
    gemma = found["gemma-2-2b-it"]
    assert (gemma.architecture, gemma.parameters, gemma.quantization) == ("llama", 64, "Q4_1")
    assert (gemma.window, gemma.kv_bytes_per_token, gemma.error) == (4096, 23_040, None)


@pytest.mark.usefixtures("without_bundled")
def test_a_model_in_several_files_is_one(tmp_path: Path) -> None:
    for number in (1, 2):
        write_gguf(
            tmp_path / f"big-{number:05}-of-00002.gguf",
            {**LLAMA, "split.count": 2},
            [Tensor(f"t{number}", (64,))],
        )
    (file,) = known_files([tmp_path])
    assert (file.name, file.parameters, file.error) == ("big", 128, None)
    assert find_model("big", [tmp_path], None) == tmp_path / "big-00001-of-00002.gguf"


@pytest.mark.usefixtures("without_bundled")
def test_one_file_by_two_ways_is_listed_once(folder: Path) -> None:
    (folder / "again.gguf").symlink_to(folder / "gemm" / "gemma-2-2b-it.gguf")
    assert len(list(known_files([folder, folder / "gemm"]))) == len(NAMES)


def test_one_model_is_shown_with_its_metadata(tmp_path: Path) -> None:
    metadata = {
        **LLAMA,
        "tokenizer.ggml.tokens": ["t"] * 5000,
        "tokenizer.ggml.token_type": [1] * 5000,
        "a.b": [1, 2],
    }
    path = write_gguf(tmp_path / "m.gguf", metadata)
    file, shown = ModelLibrary([], None).info(str(path))
    assert (file.name, file.source) == ("m", str(tmp_path))
    assert shown["general.name"] == "A model"
    assert shown["a.b"] == (1, 2)
    assert shown["tokenizer.ggml.tokens"] == "5,000 texts"
    assert shown["tokenizer.ggml.token_type"] == "5,000 numbers"


def test_only_a_file_whose_header_can_be_read_is_usable(tmp_path: Path) -> None:
    library = ModelLibrary([], None)
    whole = write_gguf(tmp_path / "m.gguf")
    assert library.usable(str(whole)) == whole
    (tmp_path / "cut.gguf").write_bytes(whole.read_bytes()[:50])
    with pytest.raises(ModelError, match="is cut short"):
        library.usable(str(tmp_path / "cut.gguf"))
    with pytest.raises(ModelError, match="is a folder"):
        library.usable(str(tmp_path))
