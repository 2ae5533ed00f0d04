"""Where a Chroma server is, and as whom it is asked."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ctxchat.domain.errors import SettingsError

BEARER = "Authorization"


@dataclass(frozen=True, slots=True)
class Address:
    """A database of a server. `url` holds no credentials; `key` resolves the key when it is needed, and
    travels in the header `key_header`. Neither is printed."""

    url: str
    tenant: str
    database: str
    key: Callable[[], str | None]
    key_header: str
    login: str

    @property
    def place(self) -> str:
        """Names the database among all that are mirrored."""
        return f"{self.url} {self.tenant}/{self.database}"

    def headers(self) -> dict[str, str]:
        """What every request carries. Raises UsageError where the key cannot be had."""
        headers = {BEARER: f"Basic {self.login}"} if self.login else {}
        if key := self.key():
            headers[self.key_header] = f"Bearer {key}" if self.key_header == BEARER else key
        return headers


def address_of(
    url: str, tenant: str, database: str, key: Callable[[], str | None], key_header: str
) -> Address:
    """The address in a URL. Raises SettingsError, which does not repeat what may hold a password."""
    parts = urlsplit(url.strip())
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise SettingsError("notes.url: must be the address of a Chroma server, like http://localhost:8000")
    shown = f"[{host}]" if ":" in host else host
    plain = f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    login = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = base64.b64encode(pair.encode()).decode()
    return Address(plain, tenant, database, key, key_header, login)
