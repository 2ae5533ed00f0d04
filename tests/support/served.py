"""A model at a server that is only played: it keeps prompts as vLLM does, and says what they took."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import EngineEvent, Prefilled, Usage
from ctxchat.domain.model import Generation, ModelFacts
from ctxchat.domain.prices import Prices
from ctxchat.engine.answer_stream import AnswerStream
from ctxchat.engine.prefix import common_prefix
from tests.support.characters import CharacterVocabulary
from tests.support.scripted import END_OF_TURN, ScriptedModel

BLOCK = 16
PRICES = Prices(input=2.0, output=10.0, cached=0.5, currency="EUR")


class EstimatingVocabulary(CharacterVocabulary):
    """One that says it only estimates."""

    fingerprint = "estimate"
    exact = False


class ServedPrefixes:
    """What was sent, with what was answered, in blocks of 16."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, ...]] = []

    def expected(self, ids: Sequence[int]) -> int | None:
        longest = max((common_prefix(sent, tuple(ids)) for sent in self.kept), default=0)
        return min(longest, len(ids) - 1) // BLOCK * BLOCK


class ServedModel(ScriptedModel):
    """The scripted model behind a server: no cells of ours, and a word of usage at the end, unless it is
    `silent`, or the answer was cancelled. `counts` are tokens of prompts as it counts them instead."""

    def __init__(
        self, *scripted: Sequence[object], silent: bool = False, exact: bool = True, **options: object
    ) -> None:
        super().__init__(*scripted, **options)  # type: ignore[arg-type]
        self.silent = silent
        self.counts: list[int] = []
        self.kept = ServedPrefixes()
        if not exact:
            self.vocabulary = EstimatingVocabulary()

    @property
    def cache(self) -> None:  # type: ignore[override]
        return None

    @property
    def facts(self) -> ModelFacts:
        url = "http://server.invalid:8000"
        return replace(super().facts, name="served", path=url, architecture="vLLM", layers=None, weights=None)

    @property
    def prefixes(self) -> ServedPrefixes:  # type: ignore[override]
        return self.kept

    def memory(self) -> None:  # type: ignore[override]
        return None

    def restart(self) -> None:
        """Forget what was cached."""
        self.kept.kept.clear()

    def _events(self, generation: Generation, cancel: Cancel) -> Iterator[EngineEvent]:
        self.generations.append(generation)
        ids = tuple(generation.ids)
        cached = self.prefixes.expected(ids) or 0
        yield Prefilled(0, len(ids))
        if not cancel.requested:
            yield Prefilled(len(ids), len(ids))
        yield from self._streamed(generation, ids, cached, cancel)

    def _streamed(
        self, generation: Generation, ids: tuple[int, ...], cached: int, cancel: Cancel
    ) -> Iterator[EngineEvent]:
        stream = AnswerStream(generation.reasoning, in_reasoning=generation.in_reasoning)
        finish = Finish.LENGTH
        answer = self._answer(generation)
        for _ in range(generation.limit):
            token = next(answer)
            if cancel.requested or token == END_OF_TURN:
                finish = Finish.CANCELLED if cancel.requested else Finish.STOP
                break
            yield from stream.feed(token, self.vocabulary.text((token,)).encode())
        yield from stream.finish()
        done = stream.generated(finish)
        decoded = (*done.reasoning_ids, *done.text_ids)
        self.kept.kept.append((*ids, *decoded))
        counted = self.counts.pop(0) if self.counts else len(ids)
        says = not self.silent and finish is not Finish.CANCELLED
        yield replace(done, usage=Usage(counted, cached, len(decoded)) if says else None)
