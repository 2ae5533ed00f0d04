"""A server of the shape of the Hugging Face hub on loopback, which fails as it is told."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Drop:
    """The connection ends behind so many bytes of a body."""

    behind: int


@dataclass(frozen=True)
class Refuse:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WholeAgain:
    """A range is asked for, and all is sent."""


Fault = Drop | Refuse | WholeAgain


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    range: str | None
    token: str | None
    agent: str


@dataclass
class Hub:
    """Repositories with their files, and addresses besides; what goes wrong with the next answers of the API,
    and of files; and which requests came. `claims` are sizes that are told in the place of the true ones, and
    `lies` checksums."""

    endpoint: str = ""
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    plain: dict[str, bytes] = field(default_factory=dict)
    api_faults: list[Fault] = field(default_factory=list)
    file_faults: list[Fault] = field(default_factory=list)
    gated: set[str] = field(default_factory=set)
    claims: dict[str, int] = field(default_factory=dict)
    lies: dict[str, str] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    @property
    def ranges(self) -> list[str | None]:
        """Of each request for the bytes of a file."""
        return [
            one.range
            for one in self.seen
            if one.method == "GET" and one.path.startswith(("/cdn/", "/plain/"))
        ]


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        headers = self.headers
        token = headers.get("Authorization")
        self.hub.seen.append(
            Seen(self.command, split.path, headers.get("Range"), token, headers.get("User-Agent", ""))
        )
        path = unquote(split.path)
        if path == "/api/models":
            self._list(parse_qs(split.query))
        elif path.startswith("/api/models/"):
            self._model(path.removeprefix("/api/models/").partition("/revision/")[0])
        elif path.startswith("/plain/"):
            self._bytes(self.hub.plain.get(path.removeprefix("/plain/")))
        elif path.startswith("/cdn/"):
            repo, name = self._place(path.removeprefix("/cdn/"))
            self._bytes(self.hub.repos.get(repo, {}).get(name))
        else:
            self._resolve(path, token)

    def _list(self, query: dict[str, list[str]]) -> None:
        words, author = query.get("search", [""])[0].lower(), query.get("author", [""])[0]
        names = [n for n in self.hub.repos if words in n.lower() and n.startswith(author)]
        self._json([{"id": name, "modelId": name} for name in names])

    def _model(self, repo: str) -> None:
        if self.hub.api_faults:
            self._refuse(self.hub.api_faults.pop(0))
        elif repo in self.hub.repos:
            siblings = [self._sibling(repo, *item) for item in self.hub.repos[repo].items()]
            self._json({"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings})
        else:
            self._refuse(Refuse(401, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Invalid username"}))

    def _sibling(self, repo: str, name: str, content: bytes) -> dict[str, object]:
        size = self.hub.claims.get(name, len(content))
        checksum = self.hub.lies.get(name, hashlib.sha256(content).hexdigest())
        lfs = {"sha256": checksum, "size": size, "pointerSize": 130}
        return {"rfilename": name, "size": size, "blobId": "0" * 40, "lfs": lfs}

    def _resolve(self, path: str, token: str | None) -> None:
        repo, _, name = path[1:].partition("/resolve/")
        if repo in self.hub.gated and token is None:
            self._refuse(
                Refuse(401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
            )
            return
        self.send_response(302)
        self.send_header("Location", f"{self.hub.endpoint}/cdn/{repo}/{name.partition('/')[2]}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _place(self, path: str) -> tuple[str, str]:
        org, repo, name = path.split("/", 2)
        return f"{org}/{repo}", name

    def _bytes(self, content: bytes | None) -> None:
        fault = self.hub.file_faults.pop(0) if self.hub.file_faults and self.command == "GET" else None
        if content is None:
            fault = Refuse(404)
        if isinstance(fault, Refuse):
            self._refuse(fault)
            return
        assert content is not None
        begin = 0
        asked = self.headers.get("Range")
        if asked and not isinstance(fault, WholeAgain):
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
        self.end_headers()
        if self.command == "HEAD":
            return
        end = begin + fault.behind if isinstance(fault, Drop) else len(content)
        self.wfile.write(content[begin:end])
        if isinstance(fault, Drop):
            self.close_connection = True

    def _refuse(self, fault: Fault) -> None:
        assert isinstance(fault, Refuse)
        self.send_response(fault.status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
