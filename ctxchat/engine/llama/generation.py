"""One answer, on the worker's thread: read the prompt in slices, then decode token by token."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError, PromptTooLargeError
from ctxchat.domain.events import EngineEvent, Generated, Prefilled
from ctxchat.domain.model import Generation
from ctxchat.engine.answer_stream import AnswerStream
from ctxchat.engine.llama.cache import LlamaCache
from ctxchat.engine.llama.cells import CHAT, SIDE
from ctxchat.engine.llama.choice import Choice, choice
from ctxchat.engine.llama.context import Outcome
from ctxchat.engine.llama.costs import LlamaCosts
from ctxchat.engine.llama.speculation import Reading, reading
from ctxchat.engine.reasoning_budget import ReasoningBudget
from ctxchat.engine.tokens.segments import SegmentVocabulary

Emit = Callable[[EngineEvent], None]

FIRST_MILESTONE = 512
"""A long prompt tells what it costs at so many tokens, at twice as many, and so on, and at its end."""


def generate(
    cache: LlamaCache,
    vocabulary: SegmentVocabulary,
    costs: LlamaCosts,
    generation: Generation,
    stop: Cancel,
    emit: Emit,
) -> None:
    """Answer, emitting what happens; `Generated` comes last, also where `stop` was requested."""
    check_ids(generation.ids, vocabulary)
    try:
        prepare = cache.prepare_aside if generation.aside else cache.prepare
        reused = prepare(generation.ids, generation.limit)
        cache.use_threads(costs.threads)
        with cache.interruptible(stop):
            _Answer(cache, vocabulary, costs, generation, stop, emit).write(reused)
    finally:
        if generation.aside:
            cache.end_aside()


def check_ids(ids: Sequence[int], vocabulary: SegmentVocabulary) -> None:
    """llama.cpp would read memory that is not its own for an id it does not have."""
    if not ids:
        raise EngineError("the prompt is empty: there is nothing to answer")
    strangers = [token for token in (min(ids), max(ids)) if not vocabulary.holds(token)]
    if strangers:
        raise EngineError(f"the prompt holds token {strangers[0]}, and the model knows {vocabulary.size:,}")


class _Answer:
    """One answer while it is written."""

    def __init__(
        self,
        cache: LlamaCache,
        vocabulary: SegmentVocabulary,
        costs: LlamaCosts,
        generation: Generation,
        stop: Cancel,
        emit: Emit,
    ) -> None:
        self._cache = cache
        self._costs = costs
        self._vocabulary = vocabulary
        self._generation = generation
        self._sequence = SIDE if generation.aside else CHAT
        self._stop = stop
        self._emit = emit
        self._stream = AnswerStream(
            generation.reasoning, in_reasoning=generation.in_reasoning, stops=generation.sampling.stop
        )
        self._budget = ReasoningBudget(generation, vocabulary)
        self._last = generation.ids[-1]

    def write(self, reused: int) -> None:
        """Read the prompt behind the tokens that are in cells already, then decode."""
        if self._prefill(self._generation.ids[reused:], reused):
            began, held = time.monotonic(), self._cache.cells(self._sequence)
            reads = reading(self._cache, self._vocabulary, self._costs, self._generation, self._sequence)
            self._decode(reads)
            if not self._generation.aside:
                decoded = self._cache.cells() - held
                alone, seconds = reads.alone(decoded, time.monotonic() - began)
                depth = held + self._cache.unseen + (decoded - alone) // 2
                self._costs.saw_decoded(alone, depth, seconds)
        else:
            self._emit(Generated(Finish.CANCELLED, "", ()))

    def _prefill(self, ids: Sequence[int], depth: int) -> bool:
        """Read what the cells do not hold, behind `depth` of them; False where it was interrupted."""
        total, cache, began = len(ids), self._cache, time.monotonic()
        size = self._costs.slice(cache.slice, depth + total)
        milestone, unseen = FIRST_MILESTONE, cache.unseen
        self._emit(Prefilled(0, total))
        for begin in range(0, total, size):
            if self._stop.requested:
                return False
            part = ids[begin : begin + size]
            done = begin + len(part)
            outcome = cache.read(part, predict=int(done == total), sequence=self._sequence)
            if outcome is Outcome.FULL:
                raise PromptTooLargeError(
                    f"the cells ran out after {begin:,} of {total:,} new tokens: allow more with --ctx-size"
                )
            if outcome is Outcome.INTERRUPTED:
                return False
            if (done >= milestone or done == total) and not self._generation.aside:
                cache.wait()
                self._costs.saw_read(done, depth + unseen, time.monotonic() - began)
                milestone *= 2
            self._emit(Prefilled(done, total))
        cache.check_prediction()
        return True

    def _decode(self, reads: Reading) -> None:
        generation = self._generation
        with choice(self._cache, self._vocabulary, generation) as chosen:
            finish = Finish.LENGTH
            for left in range(generation.limit, 0, -1):
                ended = self._decode_one(chosen, reads, left)
                if ended:
                    finish = ended
                    break
            reads.end()
            for shown in self._stream.finish():
                self._emit(shown)
            done = self._stream.generated(finish)
            satisfied = chosen.allows(done.text) if self._stream.stopped else chosen.satisfied
        self._emit(replace(done, satisfied=satisfied, speculation=reads.speculated))

    def _decode_one(self, chosen: Choice, reads: Reading, left: int) -> Finish | None:
        """Choose a token, show it, and put it into a cell; why the answer ends there, if it does.

        The token that ends a turn is not put into a cell: the template writes it into the next
        prompt.
        """
        if self._stop.requested:
            return Finish.CANCELLED
        token = self._budget.forced(self._stream, self._last)
        if token is None or not chosen.take(token, left):
            token = chosen.next(left)
        if token is None:
            return chosen.finish
        self._last = token
        for shown in self._stream.feed(token, self._vocabulary.piece(token)):
            self._emit(shown)
        if self._stream.stopped:
            return Finish.STOP
        outcome = reads.read(token, left - 1)
        if outcome is Outcome.FULL:
            return Finish.LENGTH
        return Finish.CANCELLED if outcome is Outcome.INTERRUPTED else None
