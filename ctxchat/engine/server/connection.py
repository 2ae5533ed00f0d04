"""Requests to one server, over httpx2: the only place here that knows it."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ctxchat import __version__
from ctxchat.domain.cancel import Cancel
from ctxchat.engine.server.address import Address, address_of
from ctxchat.engine.server.event_stream import Chunk, chunks_of
from ctxchat.engine.server.options import ServerOptions
from ctxchat.engine.server.refusals import Refusal, one_line, said_in

if TYPE_CHECKING:
    import ssl

    from httpx2 import Client, Response

CONNECTING = 10.0
"""Seconds within which a server must take a connection."""

LARGEST_REFUSAL = 65_536
NO_CONNECTION = "it took no connection within the timeout"
SILENT = "it said nothing for longer than the timeout of [server]"


class Connection:
    """What is asked of a server. Every method raises Refusal, and is callable from any thread; answers are
    streamed one at a time."""

    def __init__(self, options: ServerOptions) -> None:
        self.address: Address = address_of(options.url)
        self._options = options
        self._socket: socket.socket | None = None
        self._is_new = False
        self._streaming: Client | None = None

    def get(self, url: str) -> Any:
        """The JSON at an address."""
        return self._asked("GET", url, None)

    def post(self, url: str, body: Mapping[str, object]) -> Any:
        return self._asked("POST", url, body)

    @contextmanager
    def stream(self, url: str, body: Mapping[str, object], stop: Cancel) -> Iterator[Iterator[Chunk]]:
        """The chunks of an answer. At the request of `stop` the connection is cut, whatever it is waiting
        for, so that the server stops working."""
        import httpx2

        self._is_new = False
        client = self._streaming = self._streaming or self._client(connections=1)
        request = client.build_request("POST", url, json=body, extensions={"trace": self._watch(stop)})
        with _told(self._hidden), stop.calling(self._cut):
            try:
                response = client.send(request, stream=True)
            except httpx2.TransportError as error:
                if self._is_new or isinstance(error, httpx2.TimeoutException):
                    raise
                raise Refusal(None, "the connection was closed", stale=True) from None
            try:
                _check(response, self._hidden)
                yield chunks_of(response.iter_bytes())
            finally:
                response.close()
                if stop.requested:
                    self._drop_stream()

    def close(self) -> None:
        self._drop_stream()
        if "_asking" in self.__dict__:
            self._asking.close()
            del self.__dict__["_asking"]

    def _asked(self, method: str, url: str, body: Mapping[str, object] | None) -> Any:
        with _told(self._hidden):
            response = self._asking.request(method, url, json=body)
            if not response.is_success:
                raise Refusal(response.status_code, self._hidden(_said(response)), response.headers)
            try:
                return response.json()
            except ValueError:
                raise Refusal(response.status_code, said_in(response.content) or "no JSON came") from None

    @cached_property
    def _asking(self) -> "Client":
        return self._client(connections=4)

    def _client(self, *, connections: int) -> "Client":
        import httpx2

        options = self._options
        headers = {"User-Agent": f"ctxchat/{__version__}", "Accept-Encoding": "identity"}
        if options.key:
            headers["Authorization"] = f"Bearer {options.key}"
        return httpx2.Client(
            headers=headers | dict(options.headers),
            timeout=httpx2.Timeout(options.timeout, connect=min(CONNECTING, options.timeout)),
            limits=httpx2.Limits(max_connections=connections),
            verify=self._trust(),
        )

    def _trust(self) -> "ssl.SSLContext | bool":
        """What certificates are believed. Reading them takes 30 ms, which a plain connection can do without:
        it believes none."""
        from urllib.request import getproxies

        if self.address.is_encrypted or getproxies():
            return True
        import ssl

        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def _watch(self, stop: Cancel) -> Any:
        """Learns of the socket that an answer comes over: there is one at a time, and it is used again."""

        def see(name: str, seen: Mapping[str, Any]) -> None:
            if name.endswith(("connect_tcp.complete", "start_tls.complete")):
                self._socket, self._is_new = seen["return_value"].get_extra_info("socket"), True
                if stop.requested:
                    raise Refusal(None, "it was cancelled")

        return see

    def _cut(self) -> None:
        """End the connection under whoever reads from it: closing alone would not wake them."""
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _drop_stream(self) -> None:
        client, self._streaming, self._socket = self._streaming, None, None
        if client is not None:
            client.close()

    def _hidden(self, text: str) -> str:
        """A text without secrets: servers repeat the key they refuse."""
        for secret in (self._options.key, *self._options.headers.values()):
            if secret and len(secret) > 3:
                text = text.replace(secret, "…")
        return text


def _check(response: "Response", hidden: Any) -> None:
    """Raises Refusal for what is no stream."""
    kind = response.headers.get("content-type", "")
    if response.is_success and "event-stream" in kind:
        return
    body = b""
    for piece in response.iter_bytes():
        body += piece
        if len(body) > LARGEST_REFUSAL:
            break
    said = hidden(said_in(body))
    if response.is_redirect:
        said = f"it sends to {one_line(response.headers.get('location', ''))}"
    elif response.is_success:
        said = said or f"{kind.partition(';')[0] or 'nothing'} came and no stream of an answer"
    raise Refusal(response.status_code, said, response.headers)


def _said(response: "Response") -> str:
    if response.is_redirect:
        return f"it sends to {one_line(response.headers.get('location', ''))}"
    return said_in(response.content[:LARGEST_REFUSAL])


@contextmanager
def _told(hidden: Any) -> Iterator[None]:
    """Raise what goes wrong with a connection as a Refusal."""
    import httpx2

    try:
        yield
    except httpx2.TimeoutException as error:
        said = NO_CONNECTION if isinstance(error, httpx2.ConnectTimeout) else SILENT
        raise Refusal(None, said, waited=True) from None
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
        raise Refusal(None, hidden(one_line(str(error)) or type(error).__name__)) from None
