"""The models of a repository: files of one name and quantization, split ones as one."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from ctxchat.engine.gguf.file_names import model_name, part_count, quantization_named

_BESIDE_MODELS = ("mmproj", "imatrix")
"""Parts of file names of what is no language model: projectors of images, importance matrices."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that can be fetched. Its checksum is that of its content, in hexadecimal digits."""

    name: str
    url: str
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class RepoModel:
    """A model of a repository, in one file or several."""

    name: str
    quantization: str
    files: tuple[RemoteFile, ...]

    @property
    def bytes(self) -> int:
        return sum(file.bytes or 0 for file in self.files)


def models_of(files: Iterable[RemoteFile]) -> list[RepoModel]:
    """The language models among files, smallest first; those that lack a part are left out."""
    groups: dict[str, list[RemoteFile]] = {}
    for file in sorted(files, key=lambda file: file.name):
        place = PurePosixPath(file.name)
        if place.suffix == ".gguf" and not any(word in place.name.lower() for word in _BESIDE_MODELS):
            groups.setdefault(str(place.with_name(model_name(place))), []).append(file)
    models = [_model(group) for group in groups.values() if _is_whole(group)]
    return sorted(models, key=lambda model: model.bytes)


def _model(files: list[RemoteFile]) -> RepoModel:
    place = PurePosixPath(files[0].name)
    name = model_name(place)
    return RepoModel(name, quantization_named(place) or _by_folder(place) or name, tuple(files))


def _by_folder(place: PurePosixPath) -> str | None:
    """Some repositories name the quantization by a folder alone."""
    return quantization_named(place.parent) if place.parent.name else None


def _is_whole(files: list[RemoteFile]) -> bool:
    return len(files) == part_count(PurePosixPath(files[0].name))
