"""The program in processes of its own that need not import it: they are forked from one that has.

Importing takes longer than most commands do. What a command then does is done as ever: it has its own
arguments, environment, folder, streams, signals and end. What depends on how a process begins (what is
imported and in which order, what Python reads from the environment) wants a fresh process instead.
"""

import gc
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).parents[2]
Ran = subprocess.CompletedProcess[str]

SECONDS = 100
"""What takes longer hangs."""

LATE = ("ctxchat.__main__", "ctxchat.tui", "ctxchat.engine.hub", "ctxchat.service.wiring.pulling")
"""What is not imported before: it reads the environment when it is, or no command of the tests needs it."""


class ReadyProgram:
    """Runs `ctxchat` in forks of one process, which starts at the first run."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def run(self, words: tuple[str, ...], stdin: bytes | int, env: dict[str, str], cwd: Path) -> Ran:
        """As `subprocess.run` does, with text captured; `stdin` is bytes for a pipe, or a descriptor."""
        try:
            return self._run(words, stdin, env, cwd)
        except BaseException:
            # The answer of a run that was given up would be taken for that of the next.
            self.close()
            raise

    def close(self) -> None:
        if self._line and self._process:
            self._line.close()
            self._process.wait()
        self._line = self._process = None

    def _run(self, words: tuple[str, ...], stdin: bytes | int, env: dict[str, str], cwd: Path) -> Ran:
        line = self._line or self._start()
        out, err, fed = os.pipe(), os.pipe(), os.pipe()
        with TemporaryFile("w+") as request, ThreadPoolExecutor(3) as threads:
            json.dump({"words": words, "env": env, "cwd": str(cwd)}, request)
            request.flush()
            given = fed[0] if isinstance(stdin, bytes) else _descriptor(stdin)
            socket.send_fds(line, [b"."], [request.fileno(), given, out[1], err[1]])
            for descriptor in {fed[0], given, out[1], err[1]} - {stdin}:
                os.close(descriptor)
            threads.submit(_write, fed[1], stdin if isinstance(stdin, bytes) else b"")
            shown, told = threads.submit(_read, out[0]), threads.submit(_read, err[0])
            code = self._ended(line)
            return Ran(words, code, shown.result().decode(), told.result().decode())

    def _ended(self, line: socket.socket) -> int:
        try:
            return int(line.recv(16))
        except BaseException:
            # Who reads its streams waits for their end.
            if self._process:
                os.killpg(self._process.pid, signal.SIGKILL)
            raise

    def _start(self) -> socket.socket:
        self._line, theirs = socket.socketpair()
        self._line.settimeout(SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.ready_program", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                start_new_session=True,
            )
        return self._line


def _descriptor(stdin: int) -> int:
    return os.open(os.devnull, os.O_RDONLY) if stdin == subprocess.DEVNULL else stdin


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


def _write(descriptor: int, content: bytes) -> None:
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
    except BrokenPipeError:
        pass  # the program need not read what it is given


def import_all() -> None:
    """Import what the program is made of, llama.cpp before numpy as the program does."""
    import ctxchat
    from ctxchat.engine.llama import bindings
    from ctxchat.store import chroma_library

    bindings.library()
    chroma_library.library()
    for module in pkgutil.walk_packages(ctxchat.__path__, "ctxchat."):
        if not module.name.startswith(LATE):
            __import__(module.name)
    for name in ("jinja2.sandbox", "rich.markdown", "rich.table", "tiktoken", "tokenizers"):
        __import__(name)
    # What is imported is no garbage: no fork looks for some in it, not at its end either.
    gc.collect()
    gc.freeze()


def serve(line: socket.socket) -> None:
    """Fork for each request and answer with the exit code. Returns in each fork, and at the end."""
    while True:
        _, descriptors, _, _ = socket.recv_fds(line, 1, 4)
        if not descriptors:
            return
        child = os.fork()
        if not child:
            line.close()
            _become(*descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(child, 0)
        line.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: int, *streams: int) -> None:
    """Take what a process is given at its start, and be the program."""
    from ctxchat.__main__ import main
    from ctxchat.engine.llama.bindings import ENVIRONMENT

    with open(request) as file:
        file.seek(0)
        given = json.load(file)
    for descriptor, stream in enumerate(streams):
        os.dup2(stream, descriptor)
        os.close(stream)
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        mode = "w" if descriptor else "r"
        setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - the process's own
    os.chdir(given["cwd"])
    os.environ.clear()
    os.environ.update({**ENVIRONMENT, **given["env"]})
    sys.argv = ["ctxchat", *given["words"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()


if __name__ == "__main__":
    import_all()

    with socket.socket(fileno=int(sys.argv[1])) as asked:
        serve(asked)
