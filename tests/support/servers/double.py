"""A server that speaks a dialect over a real model of ours, does wrong what it is told to, and keeps
what it saw."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, ClassVar, TypeVar

from tests.support.servers.backing import Backing
from tests.support.servers.faults import Fault, Framing
from tests.support.servers.runner import Asked
from tests.support.servers.wire import ClientLeftError, Exchange

Body = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """A request as it came; the names of headers in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Body


@dataclass
class Answered:
    """One generation: the prompt, how much of it was cached, what was decoded (the token that ends a
    turn too), and whether the client left before the end."""

    path: str
    prompt: tuple[int, ...]
    cached: int
    ids: list[int] = field(default_factory=list)
    left: bool = False
    ended: bool = False


class RefusedError(Exception):
    """The request is answered by an error."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(body)
        self.status, self.body = status, body


class Double:
    """What the dialects share.

    `faults` are taken from the front, one by each request for an answer (those with a path in
    `answering`), `faults_elsewhere` by all others. `framing` is how streams are written from now on.
    With `hangs_up` each connection is closed behind an answer that promised to keep it.
    """

    software: ClassVar[str] = ""
    json_type: ClassVar[str] = "application/json"
    stream_type: ClassVar[str] = "text/event-stream"
    closes_on_errors: ClassVar[bool] = False
    answering: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, backing: Backing, name: str = "tiny") -> None:
        self.backing, self.name = backing, name
        self.url = ""
        self.key: str | None = None
        self.faults: list[Fault] = []
        self.faults_elsewhere: list[Fault] = []
        self.hangs_up = False
        self.framing = Framing()
        self.seen: list[Seen] = []
        self.answers: list[Answered] = []
        self.running = 0
        self.most_running = 0
        self._lock = Lock()

    @property
    def routes(self) -> Mapping[tuple[str, str], Callable[[Exchange, Body], None]]:
        raise NotImplementedError

    def asked(self, path: str) -> list[Body]:
        """The bodies of the requests for a path."""
        return [one.body for one in self.seen if one.path == path]

    def fault_of(self, method: str, path: str) -> Fault | None:
        answers = method == "POST" and path in self.answering
        waiting = self.faults if answers else self.faults_elsewhere
        with self._lock:
            return waiting.pop(0) if waiting else None

    def respond(self, exchange: Exchange, raw: bytes) -> None:
        path = exchange.path.partition("?")[0]
        headers = {name.lower(): value for name, value in exchange.headers.items()}
        try:
            body = self.read(raw)
            self.seen.append(Seen(exchange.command, path, headers, body))
            if exchange.meet():
                return
            if self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
                self.refuse_key(path)
            route = self.routes.get((exchange.command, path))
            if route is None:
                self.refuse_path(exchange.command, path)
            else:
                route(exchange, body)
        except RefusedError as refused:
            exchange.json(refused.body, refused.status)

    def read(self, raw: bytes) -> Body:
        """The body of a request, empty where there is none. Raises RefusedError."""
        try:
            return dict(json.loads(raw)) if raw else {}
        except ValueError as error:
            raise RefusedError(*self.unreadable(str(error))) from error

    def unreadable(self, reason: str) -> tuple[int, Body]:
        """Status and body of what is said of a body that is no JSON."""
        return 400, {
            "error": {"message": reason, "type": "invalid_request_error", "param": None, "code": 400}
        }

    def refuse_key(self, path: str) -> None:
        raise NotImplementedError

    def refuse_path(self, method: str, path: str) -> None:
        raise NotImplementedError

    @contextmanager
    def generating(self, exchange: Exchange, asked: Asked, cached: int) -> Iterator[Answered]:
        """Count an answer as running, and keep what became of it."""
        answer = Answered(exchange.path, asked.ids, cached)
        with self._lock:
            self.answers.append(answer)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            yield answer
            answer.ended = True
        except (ClientLeftError, OSError):
            answer.left = True
            raise
        finally:
            with self._lock:
                self.running -= 1


SomeDouble = TypeVar("SomeDouble", bound=Double)


@contextmanager
def running(double: SomeDouble, port: int = 0) -> Iterator[SomeDouble]:
    """Let a double listen on loopback; on a port it had before, it is the same server started anew."""

    class Handler(Exchange):
        pass

    Handler.double = double
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def as_texts(value: object) -> tuple[str, ...]:
    """`stop` as it is sent: one text, some, or none."""
    return (value,) if isinstance(value, str) else tuple(value or ())  # type: ignore[arg-type]


def common(one: tuple[int, ...] | list[int], other: tuple[int, ...] | list[int]) -> int:
    """How many ids two lists begin with alike."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
