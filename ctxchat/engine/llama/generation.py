"""One answer, on the worker's thread: read the prompt in slices, then decode token by token."""

from collections.abc import Callable, Sequence
from typing import Any

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError, PromptTooLargeError
from ctxchat.domain.events import EngineEvent, Generated, Prefilled
from ctxchat.domain.model import Generation
from ctxchat.engine.llama.answer_stream import AnswerStream
from ctxchat.engine.llama.cache import LlamaCache
from ctxchat.engine.llama.context import Outcome
from ctxchat.engine.llama.sampler import sampler
from ctxchat.engine.tokens.segments import SegmentVocabulary

Emit = Callable[[EngineEvent], None]


def generate(
    cache: LlamaCache, vocabulary: SegmentVocabulary, generation: Generation, stop: Cancel, emit: Emit
) -> None:
    """Answer, emitting what happens; `Generated` comes last, also where `stop` was requested."""
    check_ids(generation.ids, vocabulary)
    reused = cache.prepare(generation.ids, generation.limit)
    with cache.interruptible(stop):
        if _prefill(cache, generation.ids[reused:], stop, emit):
            _decode(cache, vocabulary, generation, stop, emit)
        else:
            emit(Generated(Finish.CANCELLED, "", ()))


def check_ids(ids: Sequence[int], vocabulary: SegmentVocabulary) -> None:
    """llama.cpp would read memory that is not its own for an id it does not have."""
    if not ids:
        raise EngineError("the prompt is empty: there is nothing to answer")
    strangers = [token for token in (min(ids), max(ids)) if not vocabulary.holds(token)]
    if strangers:
        raise EngineError(f"the prompt holds token {strangers[0]}, and the model knows {vocabulary.size:,}")


def _prefill(cache: LlamaCache, ids: Sequence[int], stop: Cancel, emit: Emit) -> bool:
    """Read what the cells do not hold; False where it was interrupted."""
    total = len(ids)
    emit(Prefilled(0, total))
    for begin in range(0, total, cache.slice):
        if stop.requested:
            return False
        part = ids[begin : begin + cache.slice]
        done = begin + len(part)
        outcome = cache.read(part, predict=done == total)
        if outcome is Outcome.FULL:
            raise PromptTooLargeError(
                f"the cells ran out after {begin:,} of {total:,} new tokens: allow more with --ctx-size"
            )
        if outcome is Outcome.INTERRUPTED:
            return False
        emit(Prefilled(done, total))
    cache.check_prediction()
    return True


def _decode(
    cache: LlamaCache, vocabulary: SegmentVocabulary, generation: Generation, stop: Cancel, emit: Emit
) -> None:
    stream = AnswerStream(
        generation.reasoning, in_reasoning=generation.in_reasoning, stops=generation.sampling.stop
    )
    with sampler(generation.sampling, vocabulary.size, generation.ids) as chain:
        finish = Finish.LENGTH
        for _ in range(generation.limit):
            ended = _decode_one(cache, vocabulary, chain, stream, stop, emit)
            if ended:
                finish = ended
                break
    for shown in stream.finish():
        emit(shown)
    emit(stream.generated(finish))


def _decode_one(
    cache: LlamaCache,
    vocabulary: SegmentVocabulary,
    chain: Any,
    stream: AnswerStream,
    stop: Cancel,
    emit: Emit,
) -> Finish | None:
    """Choose a token, show it, and put it into a cell; why the answer ends there, if it does.

    The token that ends a turn is not put into a cell: the template writes it into the next prompt.
    """
    if stop.requested:
        return Finish.CANCELLED
    token = cache.sample(chain)
    if vocabulary.ends_turn(token):
        return Finish.STOP
    for shown in stream.feed(token, vocabulary.piece(token)):
        emit(shown)
    if stream.stopped:
        return Finish.STOP
    if cache.cells() >= cache.capacity:
        return Finish.LENGTH
    outcome = cache.read((token,), predict=True)
    if outcome is Outcome.FULL:
        return Finish.LENGTH
    return Finish.CANCELLED if outcome is Outcome.INTERRUPTED else None
