"""Real servers, started on a free port of loopback and killed for sure."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

SERVER_PYTHON = "CTXCHAT_SERVER_PYTHON"
"""Names an interpreter that can run `python -m llama_cpp.server`, where this one cannot."""

LLAMA_SERVER = "CTXCHAT_LLAMA_SERVER"
"""Names the program llama-server."""

VLLM_URL = "CTXCHAT_VLLM_URL"
"""Where a vLLM listens."""

PATIENCE = 60

WATCHER = """
import subprocess, sys, threading
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def watch():
    sys.stdin.buffer.read()
    server.kill()
threading.Thread(target=watch, daemon=True).start()
sys.exit(server.wait())
"""
"""Kills a server once nobody holds the other end of its pipe: even where the tests were killed."""


class NotStartedError(Exception):
    """A server ended before it listened, or never did; says what it wrote."""


@dataclass
class RealServer:
    """A process that serves. `restart` starts it anew on the same port."""

    command: Sequence[str]
    url: str
    ready: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-S", "-c", WATCHER, *self.command]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.PIPE)
        until = time.monotonic() + PATIENCE
        while not _answers(self.url + self.ready):
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise NotStartedError(self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """At once, in the middle of whatever it does."""
        if self.process is not None:
            self.process.communicate()
            self.process = None

    def restart(self) -> None:
        self.kill()
        self.start()


@contextmanager
def llama_server(
    program: str, model: Path, folder: Path, *options: str, window: int = 2048
) -> Iterator[RealServer]:
    """llama-server with one slot, which keeps no other prompt than the last."""
    port = free_port()
    command = [program, "-m", str(model), "--host", "127.0.0.1", "--port", str(port), "-c", str(window)]
    command += ["-np", "1", "--cache-ram", "0", "-t", "1", "-tb", "1", "--no-ui", *options]
    with _running(
        RealServer(command, f"http://127.0.0.1:{port}", "/health", folder / "llama-server.log")
    ) as it:
        yield it


@contextmanager
def llama_cpp_python_server(
    python: str, model: Path, folder: Path, window: int = 2048
) -> Iterator[RealServer]:
    """llama-cpp-python's own server."""
    port = free_port()
    command = [python, "-m", "llama_cpp.server", "--model", str(model), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--n_ctx", str(window), "--n_threads", "1", "--n_threads_batch", "1"]
    log = folder / "llama-cpp-python.log"
    with _running(RealServer(command, f"http://127.0.0.1:{port}", "/v1/models", log)) as it:
        yield it


def server_python() -> str | None:
    """An interpreter that can run llama-cpp-python's server."""
    named = os.environ.get(SERVER_PYTHON)
    if named:
        return named
    return sys.executable if find_spec("starlette_context") and find_spec("llama_cpp") else None


def free_port() -> int:
    """A port nobody listens on; one that stays closed is the address of a server that is down."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _running(server: RealServer) -> Iterator[RealServer]:
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as refusal:
        refusal.close()
    except OSError:
        pass
    return False
