"""What can go wrong with an answer, as values; a double takes them from its list one request at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from threading import Event


class Within(Enum):
    """Where in what is being written the connection ends."""

    NOTHING = "between two events"
    EVENT = "an event's line"
    CHUNK = "a chunk that says it is longer"
    CHARACTER = "a character of several bytes"


@dataclass(frozen=True)
class Drop:
    """The connection ends behind so many tokens; with `tokens` None before the headers."""

    tokens: int | None = 0
    within: Within = Within.NOTHING


@dataclass(frozen=True)
class Refuse:
    """Another answer in the place of the right one."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hold:
    """Nothing more comes behind so many tokens until it is let go; with `tokens` None not even headers.
    It ends, too, where the client leaves."""

    tokens: int | None = 0
    let_go: Event = field(default_factory=Event)
    reached: Event = field(default_factory=Event)


@dataclass(frozen=True)
class Garble:
    """The event behind so many tokens is `line` in the place of the right one, and the last where it `ends`
    the stream."""

    tokens: int = 0
    line: bytes = b'data: {"choices": [{"te\n\n'
    ends: bool = False


Fault = Drop | Refuse | Hold | Garble


@dataclass(frozen=True)
class Framing:
    """How a stream is written: `together` events in one chunk, or chunks of `pieces` bytes; lines end
    with CR LF, a comment stands before each event, `tokens` come in one event (where the dialect can),
    the last line and the usage are left out."""

    together: int = 1
    pieces: int | None = None
    crlf: bool = False
    comments: bool = False
    tokens: int = 1
    done: bool = True
    usage: bool = True


def too_many(retry_after: str | None = "0") -> Refuse:
    body = b'{"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}'
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    return Refuse(429, body, {"Content-Type": "application/json", **headers})


def loading() -> Refuse:
    """What llama-server says while it loads its model."""
    body = b'{"error":{"message":"Loading model","type":"unavailable_error","code":503}}'
    return Refuse(503, body, {"Content-Type": "application/json; charset=utf-8"})


def proxy_page() -> Refuse:
    body = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return Refuse(502, body, {"Content-Type": "text/html"})


def redirect(location: str) -> Refuse:
    return Refuse(307, b"", {"Location": location})


def not_json() -> Refuse:
    return Refuse(200, b"it works!", {"Content-Type": "application/json"})


def fails(tokens: int = 0, message: str = "the engine died") -> Garble:
    """A server that fails behind so many tokens, and says so in the stream, as both kinds do."""
    error = (
        f'{{"error": {{"message": "{message}", "type": "InternalServerError", "param": null, "code": 500}}}}'
    )
    return Garble(tokens, f"data: {error}\n\n".encode(), ends=True)
