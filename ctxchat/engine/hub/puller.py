"""A model fetched into the program's own folder of models."""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ctxchat.domain.errors import ModelError
from ctxchat.domain.pulling import PullDelayed, PullEvent, PullFinished, PullPlanned, PullProgressed
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.hub.amounts import gigabytes
from ctxchat.engine.hub.choosing import named, suited
from ctxchat.engine.hub.client import HubClient
from ctxchat.engine.hub.downloading import Download, fetched
from ctxchat.engine.hub.reference import RepoReference, UrlReference, read_reference
from ctxchat.engine.hub.repository import RepoModel, models_of


@dataclass(frozen=True)
class HubPuller:
    """Fetches models. `free` tells bytes of memory that a model may take, None where that is not known;
    `offline` makes no connection."""

    folder: Path
    free: Callable[[], int | None]
    offline: bool = False
    endpoint: str | None = None
    wait: Callable[[float], None] = time.sleep

    def pull(self, reference: str) -> Iterator[PullEvent]:
        """Fetch ORG/REPO, ORG/REPO:QUANT, or the file at an address. Ends with `PullFinished`. Raises
        UsageError, ModelError and StoreError; what has come then is gone on from the next time."""
        meant = read_reference(reference, self.endpoint)
        if self.offline:
            raise ModelError(
                f"{reference} would have to be fetched, and no connection is allowed (--offline)"
            )
        client = HubClient(self.endpoint, self.wait)
        if isinstance(meant, UrlReference):
            yield from self._pull_file(meant, client)
        else:
            yield from self._pull_model(meant, client)

    def _pull_model(self, meant: RepoReference, client: HubClient) -> Iterator[PullEvent]:
        files = yield from client.files(meant)
        model, why = self._chosen(meant, models_of(files), client)
        folder = self.folder.joinpath(*meant.repo.split("/"))
        downloads = [
            Download(file, folder / _safe(file.name), mark=file.sha256 or _digest(file.url))
            for file in model.files
        ]
        headers = client.headers()
        yield from self._fetch(f"{meant.repo}:{model.quantization}", why, downloads, client, headers)

    def _pull_file(self, meant: UrlReference, client: HubClient) -> Iterator[PullEvent]:
        file, tag = yield from client.file(meant.url, meant.file)
        download = Download(file, self.folder / _safe(meant.file), mark=file.sha256 or _digest(tag))
        yield from self._fetch(meant.file, "as named", [download], client, {})

    def _chosen(
        self, meant: RepoReference, models: Sequence[RepoModel], client: HubClient
    ) -> tuple[RepoModel, str]:
        if not models:
            page = client.page(meant.repo)
            raise ModelError(
                f"{page} has no GGUF file of a language model; look for one with GGUF in its name"
            )
        if meant.file is not None:
            holding = [model for model in models if any(file.name == meant.file for file in model.files)]
            if not holding:
                raise ModelError(f"{meant.repo} has no {meant.file}, or it is no language model")
            return holding[0], "as named"
        if meant.quantization is not None:
            return named(models, meant.repo, meant.quantization), "as named"
        return suited(models, meant.repo, self.free())

    def _fetch(
        self,
        name: str,
        why: str,
        downloads: Sequence[Download],
        client: HubClient,
        headers: Mapping[str, str],
    ) -> Iterator[PullEvent]:
        """Fetch the files of a model one after another. The model is looked into at the end."""
        open_ones = [download for download in downloads if not download.is_done()]
        total = _sum(download.file.bytes for download in downloads)
        missing = _sum(_missing(download) for download in open_ones)
        yield PullPlanned(name, why, total, missing)
        self._check_room(name, missing)
        for download in open_ones:
            before = sum(other.bytes_here() for other in downloads if other is not download)
            for event in fetched(download, client.connection, headers, self.wait):
                yield event if isinstance(event, PullDelayed) else PullProgressed(before + event, total)
        path = read_header(downloads[0].path).path
        verified = all(download.file.sha256 is not None for download in downloads)
        yield PullFinished(str(path), verified=verified, fetched=bool(open_ones))

    def _check_room(self, name: str, missing: int | None) -> None:
        folder = next(place for place in (self.folder, *self.folder.parents) if place.exists())
        free = shutil.disk_usage(folder).free
        if missing is not None and missing > free:
            raise ModelError(
                f"{name} takes {gigabytes(missing)} of disk, and {gigabytes(free)} are free in {folder}; "
                "free some, or name a smaller quantization"
            )


def _missing(download: Download) -> int | None:
    return None if download.file.bytes is None else max(0, download.file.bytes - download.bytes_here())


def _sum(numbers: Iterable[int | None]) -> int | None:
    """None where one is not known."""
    known = list(numbers)
    return None if None in known else sum(number or 0 for number in known)


def _safe(name: str) -> PurePosixPath:
    """The name of a file within a folder. Raises ModelError for one that leads out of it."""
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts or "\\" in name or not place.name:
        raise ModelError(f"the server names a file {name!r}, which is not put anywhere")
    return place


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
