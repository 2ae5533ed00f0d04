"""What the settings of a server may be. What could hold a key is never repeated in an error."""

import re
import tomllib
from collections.abc import Mapping
from urllib.parse import urlsplit

from ctxchat.settings.kinds import Real, RefusedError

PRICES = ("input", "cached", "output")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_KEPT_SECRET = ("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie")


class Address:
    """Where a server is: `http://` or `https://`, without a user, a password or a query."""

    wants = "an address like http://127.0.0.1:8000/v1"

    def read(self, text: str) -> str:
        return self.accept(text)

    def accept(self, value: object) -> str:
        if not isinstance(value, str) or any(c.isspace() or not c.isprintable() for c in value):
            raise ValueError
        parts = urlsplit(value)
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise RefusedError(
                "holds a user, a password or a query, which may be a key: name the key with key_env or "
                "key_command, or put it into headers as a variable"
            )
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError
        return value.rstrip("/")


class HeaderTable:
    """Names and values of headers."""

    wants = 'a table of texts like {"X-Team" = "$TEAM"}'

    def read(self, text: str) -> Mapping[str, str]:
        return self.accept(_table(text))

    def accept(self, value: object) -> Mapping[str, str]:
        if not isinstance(value, dict):
            raise RefusedError(f"must be {self.wants}")
        for name, text in value.items():
            if not _HEADER_NAME.fullmatch(name) or not isinstance(text, str) or not text.isprintable():
                raise RefusedError(f"must be {self.wants}")
            if name.lower() in _KEPT_SECRET and "$" not in text:
                raise RefusedError(
                    f"{name} is a key, and has no place in a settings file: write $NAME of the environment "
                    "variable that holds it, or use key_env or key_command"
                )
        return dict(value)


class PriceTable:
    """Prices of a million tokens, and their currency."""

    wants = 'a table like {input = 0.5, cached = 0.05, output = 1.5, currency = "USD"}'

    def read(self, text: str) -> Mapping[str, object]:
        return self.accept(_table(text))

    def accept(self, value: object) -> Mapping[str, object]:
        if not isinstance(value, dict) or not {"input", "output"} <= set(value) <= {*PRICES, "currency"}:
            raise ValueError
        currency = value.get("currency", "USD")
        if not isinstance(currency, str) or not re.fullmatch(r"[A-Za-z$€£¥]{1,8}", currency):
            raise ValueError
        prices = {name: Real(least=0).accept(value[name]) for name in PRICES if name in value}
        return {**prices, "currency": currency}


def _table(text: str) -> object:
    """A table as TOML writes it, its braces or not."""
    inside = text.strip().removeprefix("{").removesuffix("}")
    return tomllib.loads(f"table = {{{inside}}}")["table"]
