"""Who chooses the tokens of an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from ctxchat.domain.conversation import Finish
from ctxchat.domain.model import Generation
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.cache import LlamaCache
from ctxchat.engine.llama.sampler import sampler
from ctxchat.engine.tokens.segments import SegmentVocabulary


class Choice(Protocol):
    """Chooses one token after another. `finish` says why there was no next one, `satisfied` whether
    what was chosen is what was asked for."""

    @property
    def finish(self) -> Finish: ...

    @property
    def satisfied(self) -> bool: ...

    def allows(self, text: str, /) -> bool:
        """Whether an answer that was cut to this is what was asked for."""

    def next(self, left: int, /) -> int | None:
        """The next of at most `left` tokens, None where the answer is at its end."""

    def take(self, token: int, left: int, /) -> bool:
        """Go on behind a token that was not chosen here, the next of at most `left`; False where it
        cannot be taken."""


class FreeChoice:
    """By the model's prediction alone."""

    finish = Finish.STOP
    satisfied = True

    def __init__(self, cache: LlamaCache, vocabulary: SegmentVocabulary, chain: Any) -> None:
        self._cache = cache
        self._vocabulary = vocabulary
        self._chain = chain

    def allows(self, _text: str, /) -> bool:
        return True

    def next(self, _left: int, /) -> int | None:
        token = self._cache.sample(self._chain)
        return None if self._vocabulary.ends_turn(token) else token

    def take(self, token: int, _left: int, /) -> bool:
        library().llama_sampler_accept(self._chain, token)
        return True


@contextmanager
def choice(cache: LlamaCache, vocabulary: SegmentVocabulary, generation: Generation) -> Iterator[Choice]:
    """What chooses for a generation, freed at the end. Raises UsageError for sampling options or a
    grammar that cannot be."""
    with sampler(generation.sampling, vocabulary.size, generation.ids) as chain:
        if generation.constraint is None:
            yield FreeChoice(cache, vocabulary, chain)
            return
        from ctxchat.engine.llama.constrained import ConstrainedChoice, grammar_sampler

        with grammar_sampler(cache, generation.constraint, generation) as asked:
            yield ConstrainedChoice(cache, vocabulary, chain, asked)
