"""What a person names to be fetched."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from ctxchat.domain.errors import UsageError

_REPO = re.compile(r"([\w.-]+/[\w.-]+?)(?::([\w.-]+))?")
_HUB_HOSTS = {"huggingface.co", "hf.co", "www.huggingface.co"}
_HOW = "name ORG/REPO, ORG/REPO:QUANT, or the address of a .gguf file"


@dataclass(frozen=True, slots=True)
class RepoReference:
    """A repository on the hub, and what of it: a quantization, a file, or what suits this machine."""

    repo: str
    quantization: str | None = None
    file: str | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class UrlReference:
    """A file anywhere else."""

    url: str

    @property
    def file(self) -> str:
        return PurePosixPath(unquote(urlsplit(self.url).path)).name


def read_reference(text: str, endpoint: str | None) -> RepoReference | UrlReference:
    """Read what was typed. Addresses of the hub, and of the endpoint in its place, name repositories.
    Raises UsageError."""
    if text.startswith(("http://", "https://")):
        return _read_url(text, endpoint)
    found = _REPO.fullmatch(text.removeprefix("hf.co/").removeprefix("hf:"))
    if found is None or ".." in text:
        raise UsageError(f"{text!r} cannot be pulled: {_HOW}")
    return RepoReference(found[1], found[2])


def _read_url(url: str, endpoint: str | None) -> RepoReference | UrlReference:
    split = urlsplit(url)
    parts = [unquote(part) for part in split.path.split("/") if part]
    if split.hostname in _HUB_HOSTS or (endpoint and split.netloc == urlsplit(endpoint).netloc):
        if len(parts) == 2:
            return RepoReference("/".join(parts))
        if len(parts) > 4 and parts[2] in {"resolve", "blob"} and parts[-1].endswith(".gguf"):
            return RepoReference("/".join(parts[:2]), file="/".join(parts[4:]), revision=parts[3])
        raise UsageError(f"{url} is no .gguf file of a repository: {_HOW}")
    if not parts or not parts[-1].endswith(".gguf"):
        raise UsageError(f"{url} does not end with the name of a .gguf file: {_HOW}")
    return UrlReference(url)
