"""A model that decodes a token when it is asked for and not before, so that it can be said how many were."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.choice import choice
from ctxchat.engine.llama.context import Outcome
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.sampler import sampler

Step = tuple[str, int]
"""("read", prompt tokens evaluated so far), or ("token", the id that was decoded)."""

NEVER_NEAR = 1 << 20
"""A limit that an answer never comes near: servers cut an answer there, and lead it to no end."""


@dataclass(frozen=True)
class Asked:
    """What a request comes to, whatever the dialect it came in."""

    ids: tuple[int, ...]
    limit: int
    sampling: Sampling
    grammar: str | None = None


class Runner:
    """One model, for one answer at a time; `end` is the id that ends a turn."""

    def __init__(self, path: Path, window: int, end: int) -> None:
        self.model = LlamaModel(path, EngineOptions(window=window, threads=1, threads_batch=1, batch_size=64))
        list(self.model.load(Cancel()))
        self._end = end

    def decode(self, asked: Asked, said: tuple[int, ...] | None) -> Iterator[Step]:
        """Read a prompt and decode up to the limit or the end of the turn, whose token comes too. Where
        it is `said` what the answer is, that is what comes."""
        go, stop = SimpleQueue[bool](), Cancel()
        worker = self.model._with_weights()
        steps: Iterator[Step] = worker.stream(partial(self._answer, asked, said, go, stop), stop)
        try:
            for step in steps:
                yield step
                go.put(True)
        finally:
            go.put(False)
            steps.close()  # type: ignore[attr-defined]

    def _answer(
        self,
        asked: Asked,
        said: tuple[int, ...] | None,
        go: SimpleQueue[bool],
        stop: Cancel,
        emit: Callable[[Step], None],
    ) -> None:
        cache, ids = self.model.cache, asked.ids
        begin = cache.prepare(ids, max(1, asked.limit))
        with cache.interruptible(stop), ExitStack() as held:
            emit(("read", begin))
            for at in range(begin, len(ids), cache.slice):
                end = min(at + cache.slice, len(ids))
                if not go.get() or cache.read(ids[at:end], predict=end == len(ids)) is not Outcome.DONE:
                    return
                emit(("read", end))
            following = self._chosen(asked, held) if said is None else iter((*said, self._end)).__next__
            for _ in range(asked.limit):
                if not go.get():
                    return
                token = following()
                emit(("token", token))
                ends = self.model.vocabulary.ends_turn(token)
                if ends or cache.read((token,), predict=True) is not Outcome.DONE:
                    return

    def _chosen(self, asked: Asked, held: ExitStack) -> Callable[[], int]:
        """What chooses the next token: the grammar's end is the token that ends a turn."""
        cache, vocabulary = self.model.cache, self.model.vocabulary
        if asked.grammar is None:
            chain = held.enter_context(sampler(asked.sampling, vocabulary.size, asked.ids))
            return lambda: cache.sample(chain)
        generation = Generation(asked.ids, asked.sampling, asked.limit, constraint=Constraint(asked.grammar))
        chosen = held.enter_context(choice(cache, vocabulary, generation))

        def following() -> int:
            token = chosen.next(NEVER_NEAR)
            return self._end if token is None else token

        return following
