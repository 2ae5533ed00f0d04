"""Models that remember: what a server answered to each prompt, and a local engine that is given the same."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import EngineEvent, Generated, Prefilled, ReasoningGenerated, TextGenerated
from ctxchat.domain.model import Generation
from ctxchat.domain.ports import Model

Answers = Mapping[tuple[int, ...], Generated]


class Recording:
    """A model whose answers are kept by the prompts they were given to."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.answers: dict[tuple[int, ...], Generated] = {}
        self.last: Generated | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, generation: Generation, cancel: Cancel) -> Iterator[EngineEvent]:
        for event in self._model.generate(generation, cancel):
            if isinstance(event, Generated):
                self.last = self.answers[tuple(generation.ids)] = event
            yield event


class Replaying:
    """A local model that reads every prompt, and then says what a server said to it.

    Answers differ by rounding from kernel to kernel, and what is said next depends on them: here all else is
    the local engine's own, vocabulary, template and cells. Only that it has cells is not shown: where they
    are its own, a conversation is folded while the person reads, and at a server when it would not fit.
    """

    cache = prefixes = costs = None

    def __init__(self, model: Model, answers: Answers) -> None:
        self._model, self._answers = model, answers
        self.given = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def memory(self) -> None:
        return None

    def generate(self, generation: Generation, cancel: Cancel) -> Iterator[EngineEvent]:
        """Raises EngineError for a prompt that the server was never sent."""
        answer = self._answers.get(tuple(generation.ids))
        if answer is None:
            raise EngineError("the server was sent another prompt")
        read = replace(generation, limit=0, constraint=None, aside=False)
        for event in self._model.generate(read, cancel):
            if isinstance(event, Prefilled):
                yield event
        self.given += 1
        if answer.reasoning:
            yield ReasoningGenerated(answer.reasoning)
        if answer.text:
            yield TextGenerated(answer.text)
        yield replace(answer, usage=None)
