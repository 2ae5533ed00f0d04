"""A real `chroma run` on loopback: started, killed and started again on the same folder."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

RUN = "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(['chroma', 'run', *sys.argv[1:]])"
"""What the command `chroma run` does, without the second it takes to import the rest of Chroma."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class RunningChroma:
    folder: Path
    port: int = field(default_factory=free_port)
    _ran: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once it answers."""
        words = ["--path", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port)]
        self._ran = subprocess.Popen(
            [sys.executable, "-c", RUN, *words],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while self._ran.poll() is None:
            try:
                self.ask("GET", "heartbeat")
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError("chroma run has ended")

    def kill(self) -> None:
        if self._ran is not None:
            self._ran.kill()
            self._ran.wait()
            self._ran = None

    def new_database(self, name: str) -> None:
        self.ask("POST", "tenants/default_tenant/databases", {"name": name})

    def ask(self, method: str, path: str, body: object = None) -> object:
        request = urllib.request.Request(
            f"{self.url}/api/v2/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")
