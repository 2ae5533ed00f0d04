"""Where a server is asked, from what a person wrote."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from ctxchat.domain.errors import UsageError

_ENDPOINTS = ("/chat/completions", "/completions", "/models")
_VERSION = re.compile(r"/v\d\w*(/|$)")


@dataclass(frozen=True, slots=True)
class Address:
    """`api` is where the paths of OpenAI's API begin, `root` where those of the server itself do.
    `shown` is the root without what may be a secret in it."""

    api: str
    root: str
    shown: str

    @property
    def is_encrypted(self) -> bool:
        return self.api.startswith("https:")


def address_of(url: str) -> Address:
    """Take `http://host:8000`, the same with `/v1`, and the whole path of an endpoint for the same server.
    Raises UsageError."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise UsageError("the url of the server must be like http://localhost:8000 or https://host/v1")
    path = parts.path.rstrip("/")
    for endpoint in _ENDPOINTS:
        path = path.removesuffix(endpoint)
    api = path if _VERSION.search(path) else f"{path}/v1"
    root = re.sub(r"/v1$", "", path)
    place = parts.netloc.rpartition("@")[2]
    return Address(
        urlunsplit((parts.scheme, parts.netloc, api, "", "")),
        urlunsplit((parts.scheme, parts.netloc, root, "", "")),
        urlunsplit((parts.scheme, place, root, "", "")),
    )
