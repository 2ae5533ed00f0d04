"""The model files there are, described by their headers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import ModelFile
from ctxchat.engine.gguf.cursor import Numbers, SeenTexts, Texts
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.header_cache import HeaderCache
from ctxchat.engine.gguf.kv_size import bytes_per_token
from ctxchat.engine.gguf.places import Found, bundled_file, found_files
from ctxchat.engine.gguf.purpose import other_purpose, refuse_other_purpose
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.gguf.references import matching, named_path, nothing_named, of_path
from ctxchat.engine.gguf.reuse_words import reuse_words
from ctxchat.engine.gguf.template_kind import template_kind

NO_WEIGHTS = "a vocabulary without weights"


class ModelLibrary:
    """The model files that can be named, and the one that is meant where none is."""

    def __init__(self, folders: Sequence[Path], default: str | None) -> None:
        self._folders, self._default = folders, default

    def list(self) -> "list[ModelFile]":
        return list(known_files(self._folders))

    def names(self) -> Sequence[str]:
        """What the models are called, each name once, without reading any."""
        return list(dict.fromkeys(found.name for found in found_files(self._folders)))

    def find(self, reference: str | None) -> Path:
        """See `find_model`."""
        return find_model(reference, self._folders, self._default)

    def usable(self, reference: str | None) -> Path:
        """As `find`, once the file's header could be read and is that of a model that chats."""
        header = read_header(self.find(reference))
        refuse_other_purpose(header)
        return header.path

    def info(self, reference: str) -> tuple[ModelFile, dict[str, object]]:
        """A model with the metadata of its file; long arrays are told by their length. Raises
        ModelError."""
        header = read_header(self.find(reference))
        found = of_path(header.path, list(found_files(self._folders)))
        return described(header, found), _printable(header.metadata)

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
        raise nothing_named(list(found_files(folders)))
    return bundled


def _named(reference: str, folders: Sequence[Path]) -> Path:
    return named_path(reference) or matching(reference, list(found_files(folders))).path


def known_files(folders: Sequence[Path]) -> Iterator[ModelFile]:
    """Every model file once; one that cannot be read says why."""
    cache, texts = HeaderCache(), SeenTexts()
    seen: set[object] = set()
    for found in found_files(folders):
        identity, size = _identity(found.path)
        if identity not in seen:
            seen.add(identity)
            yield _looked_into(found, size, cache, texts)
    cache.save()


def _looked_into(found: Found, size: int, cache: HeaderCache, texts: SeenTexts) -> ModelFile:
    known = cache.described(found.path)
    if known is not None:
        return replace(known, name=found.name, source=found.source)
    try:
        file = described(read_header(found.path, texts), found)
    except ModelError as error:
        return ModelFile(found.name, str(found.path), found.source, size, error=str(error))
    cache.keep(found.path, file)
    return file


def described(header: GgufHeader, found: Found) -> ModelFile:
    return ModelFile(
        name=found.name,
        path=str(header.path),
        source=found.source,
        bytes=header.bytes,
        architecture=header.architecture,
        parameters=header.parameters,
        quantization=header.quantization,
        window=header.window,
        kv_bytes_per_token=bytes_per_token(header, "f16", "f16"),
        reuse=reuse_words(header),
        template=other_purpose(header) or template_kind(header) if header.tensors else NO_WEIGHTS,
    )


def _printable(metadata: Mapping[str, object]) -> dict[str, object]:
    return {key: _short(value) for key, value in metadata.items()}


def _short(value: object) -> object:
    if isinstance(value, Texts):
        return f"{len(value):,} texts"
    return f"{len(value):,} numbers" if isinstance(value, Numbers) else value


def _identity(path: Path) -> tuple[object, int]:
    """What is equal for two ways to one file, and its bytes; a file may be gone by now."""
    try:
        seen = path.stat()
    except OSError:
        return path, 0
    return (seen.st_dev, seen.st_ino), seen.st_size
