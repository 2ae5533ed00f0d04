"""Questions to the hub, asked through huggingface_hub without its telemetry."""

import os
import re
from collections.abc import Callable, Generator, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ctxchat.domain.errors import ModelError, UsageError
from ctxchat.domain.pulling import PullDelayed
from ctxchat.engine.hub.asking import asked
from ctxchat.engine.hub.reference import RepoReference
from ctxchat.engine.hub.refusals import LOG_IN, refusal
from ctxchat.engine.hub.repository import RemoteFile

if TYPE_CHECKING:
    from httpx2 import Client, Response
    from huggingface_hub import HfApi

HUB = "https://huggingface.co"
SECONDS = 30.0
_NO_HEAD = {405, 501}
"""Answers of servers that tell of a file only while they send it."""

_SHA256 = re.compile("[0-9a-f]{64}")


class HubClient:
    """The hub, or what `endpoint` names in its place. Every method raises ModelError."""

    def __init__(self, endpoint: str | None, wait: Callable[[float], None]) -> None:
        self.endpoint, self._wait = endpoint, wait

    @cached_property
    def api(self) -> "HfApi":
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.endpoint, library_name="ctxchat")

    @property
    def connection(self) -> "Client":
        """The HTTP client of huggingface_hub."""
        _ = self.api
        from huggingface_hub import get_session

        return get_session()

    def headers(self) -> dict[str, str]:
        """Those of a request to the hub: the person's token, where there is one."""
        _ = self.api
        from huggingface_hub import get_token

        token = get_token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def page(self, repo: str) -> str:
        """Where a person sees a repository."""
        return f"{self.endpoint or HUB}/{repo}"

    def files(self, reference: RepoReference) -> Generator[PullDelayed, None, list[RemoteFile]]:
        """The GGUF files of a repository, all of one commit, behind delays."""
        repo, revision = reference.repo, reference.revision

        def ask() -> Any:
            return self.api.model_info(repo, revision=revision, files_metadata=True, timeout=SECONDS)

        def refused(status: int, headers: Mapping[str, str]) -> ModelError:
            return self._refused(repo, status, headers)

        try:
            seen = yield from asked(ask, repo, refused, self._wait)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"what answers at {self.endpoint or HUB} about {repo} is no hub") from error
        named = (sibling for sibling in seen.siblings or () if sibling.rfilename.endswith(".gguf"))
        return [self._remote(repo, seen.sha, sibling) for sibling in named]

    def file(self, url: str, name: str) -> Generator[PullDelayed, None, tuple[RemoteFile, str]]:
        """A file anywhere, with what tells one content at this address from another, behind delays."""

        def ask() -> "Response":
            import httpx2

            try:
                response = self.connection.head(url, follow_redirects=True, timeout=SECONDS)
            except httpx2.InvalidURL as error:
                raise UsageError(f"{url!r} is no address: {error}") from error
            return response if response.status_code in _NO_HEAD else response.raise_for_status()

        seen = yield from asked(ask, name, lambda status, headers: refusal(url, status, headers), self._wait)
        headers = {} if seen.status_code in _NO_HEAD else seen.headers
        size, tag = headers.get("Content-Length"), headers.get("ETag", "").strip('"')
        checksum = headers.get("X-Linked-ETag", tag).strip('"').lower()
        return (
            RemoteFile(
                name,
                url,
                int(size) if size and size.isdecimal() else None,
                checksum if _SHA256.fullmatch(checksum) else None,
            ),
            f"{url} {tag or headers.get('Last-Modified')} {size}",
        )

    def _remote(self, repo: str, commit: str, sibling: Any) -> RemoteFile:
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(repo, sibling.rfilename, revision=commit, endpoint=self.endpoint)
        checksum = sibling.lfs.sha256 if sibling.lfs else None
        return RemoteFile(sibling.rfilename, url, sibling.size, checksum)

    def _refused(self, repo: str, status: int, headers: Mapping[str, str]) -> ModelError:
        """The hub answers 401 also for what does not exist, so that nobody learns what does."""
        if headers.get("X-Error-Code") == "GatedRepo" or status not in {401, 404}:
            return refusal(repo, status, headers, self.page(repo))
        near = self._near(repo)
        guess = f"did you mean {' or '.join(near)}? A" if near else "a"
        return ModelError(
            f"there is no repository {repo} on the hub that can be seen; {guess} private one needs a token "
            f"({LOG_IN})"
        )

    def _near(self, repo: str) -> list[str]:
        """Names of repositories with GGUF files that are like this one; none where that cannot be asked."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        org, _, name = repo.partition("/")
        questions = ({"author": org}, {"search": name}, {"search": max(name.split("-"), key=len)})
        known: dict[str, str] = {}
        for question in questions:
            try:
                found = self.api.list_models(**question, filter="gguf", limit=100)  # type: ignore[arg-type]
                known |= {model.id.lower(): model.id for model in found}
            except (HfHubHTTPError, httpx2.HTTPError):
                continue
        return [known[near] for near in get_close_matches(repo.lower(), known, n=3, cutoff=0.6)]
