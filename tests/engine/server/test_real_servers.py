"""What real servers do that the engine counts on; each is skipped where it is not installed."""

import http.client
import json
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.servers.backing import Backing
from tests.support.servers.double import running
from tests.support.servers.plain_client import call, exchanged, stream
from tests.support.servers.real import RealServer
from tests.support.servers.vllm_double import VllmDouble

MESSAGES = [{"role": "user", "content": "Say hello to the world, please."}]
CHAT = "/v1/chat/completions"


def test_llama_server_frees_its_slot_when_the_client_leaves(tiny_llama_server: RealServer) -> None:
    connection = http.client.HTTPConnection(urlsplit(tiny_llama_server.url).netloc, timeout=60)
    asked = {"prompt": [50] * 100, "n_predict": -1, "stream": True}
    connection.request("POST", "/completion", json.dumps(asked))
    response = connection.getresponse()
    assert response.readline().startswith(b"data: ")
    response.close()
    connection.close()
    waited = threading.Event()
    while call(tiny_llama_server.url, "/slots")[1][0]["is_processing"]:
        waited.wait(0.01)


@pytest.mark.model
def test_the_python_server_takes_messages_only(python_server: RealServer) -> None:
    url = python_server.url
    assert call(url, "/v1/completions", {"prompt": [40, 41], "max_tokens": 1})[0] == 500
    events = stream(url, CHAT, {"messages": MESSAGES, "max_tokens": 3, "temperature": 0})
    assert events[0]["choices"][0]["delta"] == {"role": "assistant"}
    assert events[-2]["choices"][0]["finish_reason"] == "length"
    assert not any("usage" in event for event in events[:-1])


@pytest.mark.model
def test_the_python_server_ends_a_stream_that_is_over_its_window_without_a_word(
    python_server: RealServer,
) -> None:
    asked = {"messages": [{"role": "user", "content": "word " * 5000}], "max_tokens": 1}
    status, told = call(python_server.url, CHAT, asked)
    assert (status, told["error"]["code"]) == (400, "context_length_exceeded")
    status, body, _ = exchanged(python_server.url, CHAT, {**asked, "stream": True})
    assert (status, body.strip()) == (200, b"")


def keys(told: Any) -> Any:
    """The shape of JSON: keys and types, lists by their first."""
    if isinstance(told, dict):
        return {key: keys(value) for key, value in sorted(told.items())}
    return [keys(told[0])] if isinstance(told, list) and told else type(told).__name__


@pytest.mark.model
def test_vllm_and_its_double_tell_the_same(vllm_url: str, smollm2_backing: Backing) -> None:
    name = call(vllm_url, "/v1/models")[1]["data"][0]["id"]
    asked = {"model": name, "max_tokens": 5, "temperature": 0, "return_token_ids": True}
    asked["stream_options"] = {"include_usage": True}
    with running(VllmDouble(smollm2_backing, name)) as double:
        for path, more in (
            ("/v1/completions", {"prompt": list(range(100, 150))}),
            (CHAT, {"messages": MESSAGES}),
        ):
            real, ours = (stream(url, path, {**asked, **more}) for url in (vllm_url, double.url))
            assert keys(real[0]) == keys(ours[0])
            assert keys(real[-2]) == keys(ours[-2])
            assert real[-2]["usage"]["prompt_tokens"] == ours[-2]["usage"]["prompt_tokens"]
        for path, body in (
            ("/tokenize", {"messages": MESSAGES}),
            ("/tokenize", {"prompt": "Hello <|im_end|>"}),
        ):
            real, ours = (call(url, path, body)[1]["tokens"] for url in (vllm_url, double.url))
            assert real == ours
        over = {"model": name, "prompt": [100] * 9000, "max_tokens": 1}
        assert keys(call(vllm_url, "/v1/completions", over)) == keys(
            call(double.url, "/v1/completions", over)
        )
