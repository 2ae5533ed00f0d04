"""Programs that hold a conversation with SmolLM2, behind one face."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

WORKERS = Path(__file__).parent / "workers"
Message = dict[str, str]
Process = subprocess.Popen[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """What all peers are told: the model, its window, the longest answer, and the system message."""

    model: Path
    window: int
    tokens: int
    system: str


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds from the question to the first token, by the clock and by the processor, the start of the
    process included where it was a new one; tokens evaluated, by the program's or llama.cpp's own count."""

    wall: float
    cpu: float
    evaluated: int


class Peer(Protocol):
    """One way to hold the conversation."""

    label: str

    def ask(self, question: str) -> Turn: ...

    def stop(self) -> None:
        """End the process, if one goes on; the next question is for a new one."""


@dataclass
class Ours:
    """ctxchat, in one process."""

    label: str = "ctxchat, one process"
    process: Process | None = None

    def ask(self, question: str) -> Turn:
        watch = Watch(self.process)
        self.process = self.process or worker("our_conversation.py")
        write(self.process, question)
        read(self.process)
        return watch.turn(self.process, lambda process: int(read(process)))

    def stop(self) -> None:
        end(self.process)
        self.process = None


@dataclass
class OurCommand:
    """`ctxchat ask`, a process for each turn, in a home of its own: what another read is not there."""

    home: Path
    label: str = "ctxchat ask -c"

    def ask(self, question: str) -> Turn:
        watch = Watch(None)
        command = [sys.executable, "-m", "ctxchat", "ask", "--events", "--session", "growing", question]
        process = start(command, variables=xdg_folders(self.home))
        while json.loads(read(process))["type"] != "text_generated":
            pass
        return watch.turn(process, self._evaluated)

    def stop(self) -> None:
        pass

    def _evaluated(self, process: Process) -> int:
        rows, _ = process.communicate()
        return int(json.loads(rows.splitlines()[-1])["kv"]["evaluated"])


@dataclass
class LlamaClass:
    """llama-cpp-python's `Llama`, given the whole history each turn."""

    rules: Rules
    label: str = "Llama.create_chat_completion"
    messages: list[Message] = field(default_factory=list)
    process: Process | None = None

    def ask(self, question: str) -> Turn:
        watch = Watch(self.process)
        if self.process is None:
            self.process = worker("llama_conversation.py", str(self.rules.window), str(self.rules.tokens))
        put_question(self.messages, self.rules.system, question)
        write(self.process, self.messages)
        read(self.process)
        return watch.turn(self.process, self._evaluated)

    def stop(self) -> None:
        end(self.process)
        self.process = None

    def _evaluated(self, process: Process) -> int:
        evaluated, answer = json.loads(read(process))
        self.messages.append({"role": "assistant", "content": answer})
        return int(evaluated)


@dataclass
class Server:
    """The package's own OpenAI-compatible server, given the whole history each turn; `log` is what it writes,
    and `python` runs it."""

    rules: Rules
    log: Path
    python: str
    label: str = "llama_cpp.server"
    messages: list[Message] = field(default_factory=list)
    process: Process | None = None
    port: int = 0
    asked: int = 0

    def ask(self, question: str) -> Turn:
        watch = Watch(self.process)
        self.process = self.process or self._started()
        put_question(self.messages, self.rules.system, question)
        self.asked += 1
        pieces = self._pieces()
        parts = [next(pieces)]
        return watch.turn(self.process, lambda _: self._evaluated([*parts, *pieces]))

    def stop(self) -> None:
        end(self.process)
        self.process, self.asked = None, 0

    def _started(self) -> Process:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        rules = self.rules
        flags = {"model": rules.model, "port": self.port, "n_ctx": rules.window}
        words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
        words += ["--n_threads", "1", "--n_threads_batch", "1"]
        process = start([self.python, "-m", "llama_cpp.server", *words], self.log)
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.01)
            else:
                return process
        sys.exit(f"llama_cpp.server ended: {self.log.read_text()}")

    def _pieces(self) -> Iterator[str]:
        """The answer as it is streamed."""
        connection = HTTPConnection("127.0.0.1", self.port)
        rules, headers = self.rules, {"Content-Type": "application/json"}
        asked = {"messages": self.messages, "max_tokens": rules.tokens, "temperature": 0, "stream": True}
        connection.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
        for row in connection.getresponse():
            if row.startswith(b"data: {"):
                text = json.loads(row[6:])["choices"][0]["delta"].get("content")
                if text:
                    yield text
        connection.close()

    def _evaluated(self, parts: list[str]) -> int:
        self.messages.append({"role": "assistant", "content": "".join(parts)})
        while True:
            told = [row for row in self.log.read_text().splitlines() if "prompt eval time" in row]
            if len(told) == self.asked:
                return int(told[-1].split("/")[1].split()[0])
            time.sleep(0.01)


@dataclass
class LlmCommand:
    """`llm` with its SmolLM2 plugin, a process for each turn, which sends its log's history."""

    rules: Rules
    label: str = "llm -c, SmolLM2"
    goes_on: bool = False

    def ask(self, question: str) -> Turn:
        watch = Watch(None)
        words = ["-c"] if self.goes_on else ["-m", "SmolLM2", "-s", self.rules.system]
        self.goes_on = True
        given = [str(self.rules.window), str(self.rules.tokens), *words, question]
        process = start([sys.executable, str(WORKERS / "llm_command.py"), *given])
        assert process.stdout
        process.stdout.read(1)
        return watch.turn(process, self._evaluated)

    def stop(self) -> None:
        pass

    def _evaluated(self, process: Process) -> int:
        said, _ = process.communicate()
        return int(said.splitlines()[-1])


class Watch:
    """Begins where a question is asked of a process, or one is started for it."""

    def __init__(self, process: Process | None) -> None:
        self._began = time.monotonic()
        self._spent = spent(process) if process else 0.0

    def turn(self, process: Process, evaluated: Callable[[Process], int]) -> Turn:
        """The turn whose first token has just come; `evaluated` waits for its end, and counts."""
        wall, cpu = time.monotonic() - self._began, spent(process) - self._spent
        return Turn(wall, cpu, evaluated(process))


def spent(process: Process) -> float:
    """CPU seconds of all threads of a process."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def worker(name: str, *words: str) -> Process:
    """A worker that is asked over its stdin."""
    return start([sys.executable, str(WORKERS / name), *words], stdin=subprocess.PIPE)


def start(
    command: list[str],
    log: Path | None = None,
    stdin: int = subprocess.DEVNULL,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Process:
    """A process; what it writes to stderr goes to a file, or nowhere."""
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=log.open("w") if log else subprocess.DEVNULL,
        env={**os.environ, **variables},
        text=True,
    )


def xdg_folders(home: Path) -> dict[str, str]:
    return {f"XDG_{kind}_HOME": str(home) for kind in ("CACHE", "CONFIG", "DATA", "STATE")}


def end(process: Process | None) -> None:
    if process:
        process.terminate()
        process.communicate()


def write(process: Process, value: object) -> None:
    assert process.stdin
    process.stdin.write(f"{json.dumps(value)}\n")
    process.stdin.flush()


def read(process: Process) -> str:
    assert process.stdout
    row = process.stdout.readline()
    assert row, f"{process.args!r} ended"
    return row


def put_question(messages: list[Message], system: str, question: str) -> None:
    if not messages:
        messages.append({"role": "system", "content": system})
    messages.append({"role": "user", "content": question})
