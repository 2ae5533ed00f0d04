"""One file fetched: from where it was left, as often as it takes, and in its place only once its checksum
is right."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ctxchat.domain.errors import ModelError
from ctxchat.domain.pulling import PullDelayed
from ctxchat.engine.hub.asking import delay_behind
from ctxchat.engine.hub.refusals import refusal
from ctxchat.engine.hub.repository import RemoteFile
from ctxchat.locations import private_folder

if TYPE_CHECKING:
    from httpx2 import Client

BLOCK = 1 << 20
SECONDS = 30.0
"""Without a byte, then the connection counts as lost."""


@dataclass(frozen=True)
class Download:
    """A file on its way to a path. What has come lies beside it, under a name of its content, so that no
    other content is ever put behind it."""

    file: RemoteFile
    path: Path
    mark: str

    @property
    def part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.{self.mark[:16]}.part")

    def bytes_here(self) -> int:
        return next((path.stat().st_size for path in (self.path, self.part) if path.exists()), 0)

    def is_done(self) -> bool:
        """Whether the file is in its place, where it gets only when it is whole. Raises ModelError where
        another file has its name."""
        if not self.path.exists():
            return False
        if self.file.bytes is not None and self.path.stat().st_size != self.file.bytes:
            raise ModelError(f"{self.path} is another file of this name; move it away, and pull again")
        return True


def fetched(
    download: Download, client: "Client", headers: Mapping[str, str], wait: Callable[[float], None]
) -> Iterator[int | PullDelayed]:
    """Fetch a file, telling how many bytes of it are here. Raises ModelError; what has come stays for the
    next time, but where its checksum is wrong."""
    private_folder(download.path.parent)
    try:
        with _held(download) as part:
            fetch = _Fetch(download, part, client, headers)
            yield part.tell()
            yield from fetch.to_the_end(wait)
            part.flush()
            os.fsync(part.fileno())
            fetch.verify()
            download.part.replace(download.path)
    except OSError as error:
        raise ModelError(f"{download.path.name} cannot be written: {error.strerror or error}") from error


@contextmanager
def _held(download: Download) -> Iterator[BinaryIO]:
    """What has come, kept from other processes."""
    with download.part.open("a+b") as part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(f"another process is pulling {download.path.name}: wait for it") from None
        yield part


class _Fetch:
    """The requests that one file takes."""

    def __init__(
        self, download: Download, part: BinaryIO, client: "Client", headers: Mapping[str, str]
    ) -> None:
        self._download, self._part, self._client = download, part, client
        self._headers = {**headers, "Accept-Encoding": "identity"}
        self._digest = hashlib.sha256()
        part.seek(0)
        while block := part.read(BLOCK):
            self._digest.update(block)
        if download.file.bytes is not None and part.tell() > download.file.bytes:
            self._begin_again()

    def to_the_end(self, wait: Callable[[float], None]) -> Iterator[int | PullDelayed]:
        import httpx2

        failures, name = 0, self._download.path.name
        while self._part.tell() != self._download.file.bytes:
            before = self._part.tell()
            try:
                yield from self._request()
            except httpx2.HTTPError as error:
                failures = 1 if self._part.tell() > before else failures + 1
                delay = delay_behind(error, failures, name, partial(refusal, name))
                yield delay
                wait(delay.seconds)
            else:
                return

    def verify(self) -> None:
        expected, seen = self._download.file, self._part.tell()
        if expected.bytes is not None and seen != expected.bytes:
            self._discard(f"{seen:,} of {expected.bytes:,} bytes came")
        digest = self._digest.hexdigest()
        if expected.sha256 is not None and digest != expected.sha256:
            self._discard(f"its checksum is {digest[:12]}… and should be {expected.sha256[:12]}…")

    def _request(self) -> Iterator[int]:
        begin = self._part.tell()
        headers = {**self._headers, "Range": f"bytes={begin}-"} if begin else self._headers
        url = self._download.file.url
        with self._client.stream(
            "GET", url, headers=headers, timeout=SECONDS, follow_redirects=True
        ) as response:
            if response.status_code == 416 or (begin and response.status_code == 200):
                # The server has other bytes than those that came, or gives no part of them.
                self._begin_again()
            response.raise_for_status()
            for block in response.iter_bytes():
                self._part.write(block)
                self._digest.update(block)
                yield self._part.tell()

    def _begin_again(self) -> None:
        self._part.seek(0)
        self._part.truncate()
        self._digest = hashlib.sha256()

    def _discard(self, why: str) -> None:
        self._begin_again()
        self._download.part.unlink(missing_ok=True)
        raise ModelError(
            f"{self._download.path.name} did not come whole: {why}; it was removed, pull it again"
        )
