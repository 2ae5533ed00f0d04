"""What the engine behind a server costs over bare streaming clients, in CPU time of the client's process.

    python benchmarks/server_overhead.py [--turns 15]

Doubles of vLLM and of a hosted API (tests/support/servers) answer from another process, over a tiny random
model: each token comes by itself. All clients ask the same, in turns, in one run; medians are shown. What a
turn costs and what a token costs are told apart by answers of two lengths.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SHORT, LONG = 16, 272
WINDOW = 512
PROMPT = 120

Ask = Callable[[int], None]
"""Has so many tokens answered."""


def serve(path: str, told: Connection) -> None:
    """A process of its own: both doubles, until it is ended."""
    from contextlib import ExitStack

    from tests.support.servers.backing import Backing
    from tests.support.servers.double import running
    from tests.support.servers.openai_double import OpenAiDouble
    from tests.support.servers.vllm_double import VllmDouble

    with ExitStack() as held:
        backing = Backing(Path(path), WINDOW)
        doubles = [held.enter_context(running(kind(backing))) for kind in (VllmDouble, OpenAiDouble)]
        told.send([(double.url, double.key) for double in doubles])
        told.recv()


def spoken(chunk: dict[str, Any]) -> list[str]:
    """The texts of a chunk of either kind."""
    return [c.get("text") or c.get("delta", {}).get("content") or "" for c in chunk["choices"]]


def bare(url: str, key: str | None, path: str, body: dict[str, Any]) -> None:
    """The standard library, and nothing kept but the text."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    connection.request("POST", path, json.dumps(body), headers)
    texts = []
    for line in connection.getresponse():
        if line.startswith(b"data:") and b"[DONE]" not in line:
            texts += spoken(json.loads(line[5:]))
    connection.close()


def bare_httpx(client: Any, url: str, key: str | None, path: str, body: dict[str, Any]) -> None:
    """The library that is used, and nothing else."""
    texts = []
    headers = {"Authorization": f"Bearer {key}"}
    with client.stream("POST", url + path, json=body, headers=headers) as response:
        for line in response.iter_lines():
            if line.startswith("data:") and "[DONE]" not in line:
                texts += spoken(json.loads(line[5:]))


def ours(url: str, key: str | None, folder: Path, vocabulary: str | None) -> Ask:
    from ctxchat.domain.cancel import Cancel
    from ctxchat.domain.conversation import Role
    from ctxchat.domain.model import Generation
    from ctxchat.domain.prompt import PromptMessage
    from ctxchat.domain.sampling import Sampling
    from ctxchat.engine.server.model import ServerModel
    from ctxchat.engine.server.options import ServerOptions

    model = ServerModel(ServerOptions("", url, None, key, {}, 60.0, None, vocabulary, folder))
    list(model.load(Cancel()))
    messages = (PromptMessage(Role.USER, "a"),)

    def ask(tokens: int) -> None:
        generation = Generation([50] * PROMPT, Sampling(temperature=0), tokens, messages=messages)
        for _ in model.generate(generation, Cancel()):
            pass

    return ask


def whole_turn(url: str, vocabulary: str) -> Ask:
    """A conversation of one turn through the whole program: recorded, recalled for, accounted for."""
    from ctxchat.domain.cancel import Cancel
    from ctxchat.domain.events import TurnFinished
    from ctxchat.domain.sampling import Sampling
    from ctxchat.service import wiring
    from ctxchat.service.request import AskRequest
    from ctxchat.settings.load import load_settings

    flags = {"server.url": url, "model.path": "server", "server.vocabulary": vocabulary}
    chat = wiring.chat_service(load_settings(flags | {"model.ctx_size": WINDOW}), one_shot=False)

    numbers = count(1)

    def ask(tokens: int) -> None:
        # Conversations of one name would be told apart by looking at all of them.
        request = AskRequest(
            f"{next(numbers)} {'a' * 45}", sampling=Sampling(temperature=0, max_tokens=tokens)
        )
        *_, last = chat.ask(request, Cancel())
        assert isinstance(last, TurnFinished)
        assert last.receipt.answer_tokens == tokens, last.receipt

    return ask


def measure(clients: dict[str, Ask], turns: int) -> dict[str, tuple[float, float]]:
    """Milliseconds a turn and microseconds a token, by client."""
    seen: dict[tuple[str, int], list[float]] = {}
    for _ in range(turns):
        for name, ask in clients.items():
            for tokens in (SHORT, LONG):
                began = time.process_time()
                ask(tokens)
                seen.setdefault((name, tokens), []).append(time.process_time() - began)
    found = {}
    for name in clients:
        short, long = (statistics.median(seen[name, tokens][1:]) for tokens in (SHORT, LONG))
        token = (long - short) / (LONG - SHORT)
        found[name] = ((short - SHORT * token) * 1e3, token * 1e6)
    return found


USAGE = {"stream": True, "temperature": 0, "model": "tiny", "stream_options": {"include_usage": True}}


def bare_clients(url: str, key: str | None, path: str, asked: dict[str, Any]) -> dict[str, Ask]:
    """Both clients without anything of ours, for one kind of request."""
    import httpx2

    client, body = httpx2.Client(), {**USAGE, **asked}
    return {
        "bare, http.client": lambda n: bare(url, key, path, {**body, "max_tokens": n}),
        "bare, httpx2": lambda n: bare_httpx(client, url, key, path, {**body, "max_tokens": n}),
    }


def shown(title: str, clients: dict[str, Ask], turns: int) -> None:
    print(f"{title}: CPU of the client, medians of {turns - 1} turns of {SHORT} and {LONG} tokens")
    for name, (turn, token) in measure(clients, turns).items():
        print(f"  {name:28} {turn:6.2f} ms a turn  {token:6.0f} µs a token")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15)
    turns = parser.parse_args().turns
    from tests.support.tiny_gguf import write_tiny_gguf

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ |= {f"XDG_{kind}_HOME": temporary for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
        path = str(write_tiny_gguf(folder / "tiny.gguf"))
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=serve, args=(path, there), daemon=True)
        process.start()
        (vllm, _), (hosted, key) = here.recv()
        by_ids = bare_clients(vllm, None, "/v1/completions", {"prompt": [50] * PROMPT}) | {
            "ctxchat, vocabulary here": ours(vllm, None, folder, path),
            "ctxchat, vocabulary there": ours(vllm, None, folder, None),
            "ctxchat, a whole turn": whole_turn(vllm, path),
        }
        said = {"messages": [{"role": "user", "content": "a"}]}
        by_messages = bare_clients(hosted, key, "/v1/chat/completions", said) | {
            "ctxchat": ours(hosted, key, folder, None)
        }
        shown("token ids, vLLM's dialect", by_ids, turns)
        shown("messages, OpenAI's API", by_messages, turns)
        here.send(None)
        process.join(10)


if __name__ == "__main__":
    main()
