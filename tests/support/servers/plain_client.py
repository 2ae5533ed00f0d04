"""The barest client there is, over http.client: what a server wrote, and nothing made of it."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 60


def exchanged(url: str, path: str, body: object = None, key: str | None = None) -> tuple[int, bytes, Any]:
    """Status, body and headers of one exchange; without a body it is a GET."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    try:
        method, content = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


def call(url: str, path: str, body: object = None, key: str | None = None) -> tuple[int, Any]:
    """Status and JSON."""
    status, raw, _ = exchanged(url, path, body, key)
    return status, json.loads(raw)


def stream(url: str, path: str, body: dict[str, Any]) -> list[Any]:
    """The events of a stream; one that is no JSON, the last line, as a text."""
    _, raw, _ = exchanged(url, path, {**body, "stream": True})
    lines = [line.removeprefix(b"data: ") for line in raw.splitlines() if line.startswith(b"data: ")]
    return [line.decode() if line == b"[DONE]" else json.loads(line) for line in lines]
