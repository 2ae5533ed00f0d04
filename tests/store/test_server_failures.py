"""Servers that refuse, are slow, or are something else: one line, and no hang."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from ctxchat.domain.errors import NotesUnreachableError
from ctxchat.store.server.absence import Absence
from ctxchat.store.server.address import address_of
from ctxchat.store.server.client import ChromaServer
from tests.support.team_chroma import Machine

KEY = "s3cret-key"
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def saying(status: int, body: str, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body.encode())

    return answer


def asked(url: str, deadline: float | None = None) -> ChromaServer:
    server = ChromaServer(address_of(url, "default_tenant", "default_database", lambda: KEY, "Authorization"))
    server.deadline = deadline
    return server


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (saying(401, "who are you?"), r"refuses the key \(401\): check notes.key_env"),
        (saying(403, '{"error": "AuthError", "message": "no"}'), r"refuses the key \(403\)"),
        (
            saying(500, '{"error": "InternalError", "message": "disk\\nfull"}'),
            "failed .*disk full.*: see its log",
        ),
        (saying(200, "<html>hello</html>"), "does not answer as a Chroma server"),
        (saying(410, "the v1 API is gone"), r"does not answer as a Chroma server of version 1 does \(410\)"),
        (saying(302, "", Location="http://127.0.0.1:9/stolen"), "notes' server"),
        (saying(200, '[{"id": 3}]'), "does not answer as a Chroma server"),
    ],
)
def test_what_a_server_answers_is_told_in_a_line_without_the_key(answer: Answer, line: str) -> None:
    with answering(answer) as url:
        server = asked(url)
        with pytest.raises(NotesUnreachableError, match=line) as told:
            server.collections()
        server.close()
    assert "\n" not in str(told.value)
    assert KEY not in str(told.value)


def test_a_slow_server_is_not_waited_for_beyond_the_deadline() -> None:
    over = Event()
    with answering(lambda _: over.wait(30) and None) as url:
        server = asked(url, time.monotonic() + 0.3)
        with pytest.raises(NotesUnreachableError, match="is slow"):
            server.collections()
        with pytest.raises(NotesUnreachableError, match="no time left"):
            server.version()
        server.close()
        over.set()


def test_the_key_travels_in_the_header_that_is_named() -> None:
    heard: list[dict[str, str]] = []

    def hear(request: BaseHTTPRequestHandler) -> None:
        heard.append(dict(request.headers))
        saying(200, '"1.0.0"')(request)

    with answering(hear) as url:
        token = address_of(url.replace("//", "//me:pass@"), "t", "d", lambda: KEY, "X-Chroma-Token")
        for server in (asked(url), ChromaServer(token)):
            assert server.version() == "1.0.0"
            server.close()
    assert heard[0]["Authorization"] == f"Bearer {KEY}"
    assert (heard[1]["X-Chroma-Token"], heard[1]["Authorization"][:6]) == (KEY, "Basic ")
    assert "pass" not in token.place


def test_a_turn_does_not_ask_again_what_failed_just_now(tmp_path: Path) -> None:
    seen: list[str] = []

    def refuse(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.path)
        saying(401, "no")(request)

    with answering(refuse) as url:
        one = Machine(tmp_path / "one", url, "default_database", seconds=5)
        for _ in range(3):
            with pytest.raises(NotesUnreachableError, match="refuses the key"):
                one.texts("boat")
        assert len(seen) == 1
        with pytest.raises(NotesUnreachableError):
            one.listed()
        assert len(seen) == 2


def test_what_is_remembered_of_an_absence_ends(tmp_path: Path) -> None:
    absence = Absence(tmp_path / "cache", "place")
    absence.end()
    assert absence.line() is None
    absence.begin("gone")
    assert (absence.line() or "").startswith("gone (seen 0 s ago, tried again in")
    assert Absence(tmp_path / "cache", "elsewhere").line() is None
    absence.end()
    assert absence.line() is None
