"""The real model behind a double: its vocabulary, its template, and its tokens one at a time."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.llama.choice import choice
from ctxchat.engine.llama.context import Outcome
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.sampler import sampler
from ctxchat.engine.tokens.segments import CONTROL

Step = tuple[str, int]
"""("read", prompt tokens evaluated so far), or ("token", the id that was decoded)."""


@dataclass(frozen=True)
class Asked:
    """What a request comes to, whatever the dialect it came in."""

    ids: tuple[int, ...]
    limit: int
    sampling: Sampling
    grammar: str | None = None


class Backing:
    """A GGUF file, run in this process for one double. It answers one request after the other, and
    a token is decoded when it is asked for and not before, so that it can be said how many were."""

    def __init__(self, path: Path, window: int = 512) -> None:
        self.path, self.window = path, window
        options = EngineOptions(window=window, threads=1, threads_batch=1, batch_size=64)
        self._model = LlamaModel(path, options)
        list(self._model.load(Cancel()))
        self.header = read_header(path)
        self.vocabulary = self._model.vocabulary
        self.facts = self._model.facts
        self._lock = Lock()

    @property
    def end(self) -> int:
        """The id that ends a turn."""
        return int(str(self.header.metadata["tokenizer.ggml.eos_token_id"]))

    @property
    def template(self) -> Any:
        return self._model.template

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
        with self._lock:
            go, stop = SimpleQueue[bool](), Cancel()
            worker = self._model._with_weights()
            steps: Iterator[Step] = worker.stream(partial(self._answer, asked, go, stop), stop)
            try:
                for step in steps:
                    yield step
                    go.put(True)
            finally:
                go.put(False)
                steps.close()  # type: ignore[attr-defined]

    def close(self) -> None:
        self._model.close()

    def _answer(
        self, asked: Asked, go: SimpleQueue[bool], stop: Cancel, emit: Callable[[Step], None]
    ) -> None:
        cache, ids = self._model.cache, asked.ids
        begin = cache.prepare(ids, max(1, asked.limit))
        with cache.interruptible(stop), ExitStack() as held:
            emit(("read", begin))
            for at in range(begin, len(ids), cache.slice):
                end = min(at + cache.slice, len(ids))
                if not go.get() or cache.read(ids[at:end], predict=end == len(ids)) is not Outcome.DONE:
                    return
                emit(("read", end))
            following = self._chosen(asked, held)
            for _ in range(asked.limit):
                if not go.get():
                    return
                token = following()
                emit(("token", token))
                if self.vocabulary.ends_turn(token) or cache.read((token,), predict=True) is not Outcome.DONE:
                    return

    def _chosen(self, asked: Asked, held: ExitStack) -> Callable[[], int]:
        """What chooses the next token: the grammar's end is the token that ends a turn."""
        cache = self._model.cache
        if asked.grammar is None:
            chain = held.enter_context(sampler(asked.sampling, self.vocabulary.size, asked.ids))
            return lambda: cache.sample(chain)
        generation = Generation(asked.ids, asked.sampling, asked.limit, constraint=Constraint(asked.grammar))
        chosen = held.enter_context(choice(cache, self.vocabulary, generation))

        def following() -> int:
            token = chosen.next(NEVER_NEAR)
            return self.end if token is None else token

        return following


NEVER_NEAR = 1 << 20
"""A limit that an answer never comes near: servers cut an answer there, and lead it to no end."""


def now() -> int:
    return int(time.time())
