"""The real model behind a double: its vocabulary, its template, and its answers."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.tokens.segments import CONTROL
from tests.support.servers.runner import Asked, Runner, Step


class Backing:
    """A GGUF file, run in this process for doubles. As many answers are given at once as are asked for:
    each takes a copy of the model that is free. Texts in `says` are the next answers, in the place of
    what the model would decode; their control tokens are read as such."""

    def __init__(self, path: Path, window: int = 512) -> None:
        self.path, self.window = path, window
        self.says: list[str] = []
        self.header = read_header(path)
        self.end = int(str(self.header.metadata["tokenizer.ggml.eos_token_id"]))
        first = Runner(path, window, self.end)
        self._runners, self._free = [first], [first]
        self._lock = Lock()
        self.vocabulary, self.facts = first.model.vocabulary, first.model.facts

    @property
    def template(self) -> Any:
        return self._runners[0].model.template

    def render(self, messages: Sequence[dict[str, str]], *, answer: bool = True) -> str:
        return str(self.template.render(messages, at=datetime.now(UTC), think=None, answer=answer))

    def tokenize(self, text: str, *, special: bool = True, begin: bool = False) -> tuple[int, ...]:
        """Ids as a server makes them: control tokens are read where `special`, and the token that
        begins a text stands before it where `begin`."""
        return (self.vocabulary.begin if begin else ()) + self.vocabulary.encode(text, special=special)

    def piece(self, token: int) -> bytes:
        """The bytes of a token as they stand in an answer: none for a control token."""
        hidden = self.vocabulary.attributes(token) & CONTROL or self.vocabulary.ends_turn(token)
        return b"" if hidden else self.vocabulary.piece(token)

    def decode(self, asked: Asked) -> Iterator[Step]:
        """Read a prompt and decode up to the limit or the end of the turn, whose token comes too."""
        said = self.tokenize(self.says.pop(0)) if self.says else None
        with self._free_runner() as runner:
            steps = runner.decode(asked, said)
            try:
                yield from steps
            finally:
                steps.close()  # type: ignore[attr-defined]

    def close(self) -> None:
        for runner in self._runners:
            runner.model.close()

    @contextmanager
    def _free_runner(self) -> Iterator[Runner]:
        with self._lock:
            runner = self._free.pop() if self._free else None
            if runner is None:
                runner = Runner(self.path, self.window, self.end)
                self._runners.append(runner)
        try:
            yield runner
        finally:
            with self._lock:
                self._free.append(runner)


def now() -> int:
    return int(time.time())
