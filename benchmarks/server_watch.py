"""How many requests a server has running, as it says itself."""

import json
import re
import time
import urllib.error
import urllib.request

from ctxchat.engine.server.address import address_of

RUNNING = re.compile(r"^vllm:num_requests_running\S* (\S+)$", re.MULTILINE)


def running(url: str) -> int | None:
    """By vLLM's metrics or llama-server's slots; None where there are neither."""
    root = address_of(url).root
    if metrics := _got(f"{root}/metrics"):
        found = RUNNING.findall(metrics)
        if found:
            return int(sum(map(float, found)))
    slots = _got(f"{root}/slots")
    return sum(slot["is_processing"] for slot in json.loads(slots)) if slots else None


def seconds_until_none(url: str, patience: float = 10.0) -> float | None:
    """Until the server has no request running; None where it does not say, or still has."""
    began = time.monotonic()
    while (count := running(url)) is not None and time.monotonic() - began < patience:
        if count == 0:
            return time.monotonic() - began
        time.sleep(0.005)
    return None


def _got(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            body: bytes = answer.read()
            return body.decode()
    except urllib.error.HTTPError:
        return None
