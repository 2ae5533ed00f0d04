"""One exchange over HTTP/1.1, and a stream of events in it, written as a fault and a framing say."""

import json
import select
import socket
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.support.servers.faults import Drop, Fault, Garble, Hold, Refuse, Within

if TYPE_CHECKING:
    from tests.support.servers.double import Double

GLANCE = 0.01


class ClientLeftError(Exception):
    """The client closed the connection."""


class DroppedError(Exception):
    """The double closes the connection, as it was told to."""


class Exchange(BaseHTTPRequestHandler):
    """A request to a double."""

    double: "Double"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        pass

    def version_string(self) -> str:
        return self.double.software

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.fault = self.double.fault_of(self.command, self.path)
        try:
            self.double.respond(self, body)
            self.close_connection = self.close_connection or self.double.hangs_up
        except (ClientLeftError, DroppedError, OSError):
            self.close_connection = True

    def meet(self) -> bool:
        """Do what the fault says before anything is answered; whether that was all."""
        if isinstance(self.fault, Refuse):
            self.reply(self.fault.status, self.fault.body, self.fault.headers)
            return True
        if isinstance(self.fault, Drop) and self.fault.tokens is None:
            raise DroppedError
        if isinstance(self.fault, Hold) and self.fault.tokens is None:
            self.wait(self.fault)
        return False

    def wait(self, hold: Hold) -> None:
        hold.reached.set()
        while not hold.let_go.wait(GLANCE):
            self.check_client()

    def check_client(self) -> None:
        """Raise ClientLeftError where nobody listens any more."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        if readable and not self.connection.recv(1, socket.MSG_PEEK):
            raise ClientLeftError

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, value: object, status: int = 200) -> None:
        told = {"Content-Type": self.double.json_type}
        if status >= 400 and self.double.closes_on_errors:
            told["Connection"] = "close"
        self.reply(status, as_json(value), told)


class Events:
    """A stream of server-sent events; its headers go out with the first of them, or by `begin`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._fault: Fault | None = exchange.fault
        self._framing = exchange.double.framing
        self._waiting = b""
        self._events = 0
        self._tokens = 0
        self._begun = False

    def begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._exchange.send_response(200)
            self._exchange.send_header("Content-Type", self._exchange.double.stream_type)
            self._exchange.send_header("Transfer-Encoding", "chunked")
            self._exchange.end_headers()
            self._misbehave()

    def send(self, value: Any, tokens: int = 0) -> None:
        """One event; `tokens` are those it tells of."""
        self.begin()
        line = b"data: " + (value if isinstance(value, bytes) else as_json(value)) + b"\n\n"
        self._tokens += tokens
        if isinstance(self._fault, Garble) and self._tokens > self._fault.tokens:
            self._garble(self._fault)
            return
        self._drop_within(line)
        self._write(line)
        self._misbehave()

    def done(self) -> None:
        if self._framing.done:
            self.send(b"[DONE]")

    def end(self) -> None:
        self.begin()
        self._flush()
        self._exchange.wfile.write(b"0\r\n\r\n")

    def _garble(self, garble: Garble) -> None:
        self._fault = None
        self._write(garble.line)
        if garble.ends:
            self.end()
            raise DroppedError

    def _write(self, line: bytes) -> None:
        if self._framing.comments:
            line = b": ping\n\n" + line
        self._waiting += line.replace(b"\n", b"\r\n") if self._framing.crlf else line
        self._events += 1
        if self._events % self._framing.together == 0:
            self._flush()

    def _flush(self) -> None:
        size = self._framing.pieces or len(self._waiting) or 1
        for at in range(0, len(self._waiting), size):
            self._chunk(self._waiting[at : at + size])
        self._waiting = b""

    def _chunk(self, content: bytes, told: int = 0) -> None:
        self._exchange.wfile.write(b"%x\r\n" % (len(content) + told) + content + (b"" if told else b"\r\n"))
        self._exchange.wfile.flush()

    def _drop_within(self, line: bytes) -> None:
        drop = self._fault
        if not isinstance(drop, Drop) or drop.within is Within.NOTHING or self._tokens <= (drop.tokens or 0):
            return
        cut = len(line) // 2
        if drop.within is Within.CHARACTER:
            cut = next((at + 1 for at, byte in enumerate(line) if byte >= 0xC0), 0)
        if cut:
            self._flush()
            self._chunk(line[:cut], told=len(line) if drop.within is Within.CHUNK else 0)
            raise DroppedError

    def _misbehave(self) -> None:
        fault = self._fault
        if isinstance(fault, Drop) and fault.within is Within.NOTHING and self._tokens >= (fault.tokens or 0):
            self._flush()
            raise DroppedError
        if isinstance(fault, Hold) and self._tokens >= (fault.tokens or 0):
            self._fault = None
            self._flush()
            self._exchange.wait(fault)


def as_json(value: object) -> bytes:
    """As servers write it: in one line, and no letter escaped that need not be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
