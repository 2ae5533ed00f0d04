"""What a server says when it is asked beside the conversation: requests that run, and tokens of messages."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from ctxchat.domain.prompt import PromptMessage
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


def counted(url: str, model: str, messages: Sequence[PromptMessage]) -> int | None:
    """Tokens of messages with its chat template, for servers that do not tell in a stream: the price is a
    token decoded."""
    told = [{"role": message.role.value, "content": message.text} for message in messages]
    body = json.dumps({"model": model, "messages": told, "max_tokens": 1}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address_of(url).api}/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        usage: dict[str, Any] = json.load(answer).get("usage") or {}
    return usage.get("prompt_tokens")


def _got(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            body: bytes = answer.read()
            return body.decode()
    except urllib.error.HTTPError:
        return None
