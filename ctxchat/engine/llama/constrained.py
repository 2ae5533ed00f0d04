"""Choosing tokens under a grammar.

Asking the grammar about every token of the vocabulary costs more than half of what decoding one
does. So a token is chosen without it and only that one is asked about; where it is refused, which is
rare once the answer runs, all others are, and the choice is made again among what is left.
"""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ctxchat.domain.constraint import Constraint
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import UsageError
from ctxchat.domain.model import Generation
from ctxchat.engine.grammar.follower import Follower, Grammar, grammar_of
from ctxchat.engine.grammar.reasoning import behind_reasoning
from ctxchat.engine.grammar.rules import ROOT
from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.cache import LlamaCache
from ctxchat.engine.llama.candidates import Candidates, OneCandidate
from ctxchat.engine.llama.narrowing import Narrowing
from ctxchat.engine.tokens.segments import SegmentVocabulary

CHARACTER_BYTES = 4

LIKELIEST = 2048
"""Tokens looked at first where the one that was chosen is refused."""


@contextmanager
def grammar_sampler(cache: LlamaCache, constraint: Constraint, generation: Generation) -> Iterator["Asked"]:
    """llama.cpp's sampler for a constraint, freed at the end. Raises UsageError for a grammar that
    cannot be followed."""
    text, root = constraint.grammar, ROOT
    if generation.reasoning:
        text, root = behind_reasoning(text, generation.reasoning, opened=generation.in_reasoning)
    grammar = grammar_of(text, root)
    lib = library()
    pointer = lib.llama_sampler_init_grammar(cache.vocabulary, text.encode(), root.encode())
    if not pointer:
        raise UsageError(f"llama.cpp does not take the {constraint.name}")
    samplers = [pointer, lib.llama_sampler_init_greedy(), lib.llama_sampler_init_top_k(LIKELIEST)]
    try:
        narrowing = Narrowing.of(generation.sampling)
        yield Asked(grammar, grammar_of(constraint.grammar), narrowing, samplers)
    finally:
        for each in samplers:
            lib.llama_sampler_free(each)


class Asked:
    """A grammar as it was read, and as llama.cpp holds it while an answer is written.

    `answer` is the grammar without what it says of reasoning.
    """

    def __init__(
        self, grammar: Grammar, answer: Grammar, narrowing: Narrowing | None, samplers: list[Any]
    ) -> None:
        self.grammar = grammar
        self.answer = answer
        self.narrowing = narrowing
        self._sampler, self._greedy, self._likeliest = samplers
        self._one = OneCandidate()

    def takes(self, token: int) -> bool:
        return self._one.passes(self._sampler, token)

    def accept(self, token: int) -> None:
        """Go on behind a token that it takes: llama.cpp ends the process over any other."""
        library().llama_sampler_accept(self._sampler, token)

    def narrow(self, candidates: Candidates) -> float:
        """Leave of the likeliest what it takes; below which prediction tokens were not looked at."""
        candidates.apply(self._likeliest)
        least = candidates.logits()[-1]
        candidates.apply(self._sampler)
        candidates.disorder()
        return least

    def refuse(self, candidates: Candidates) -> bool:
        """Refuse all that it does not take; False where nothing is left."""
        candidates.apply(self._sampler)
        candidates.apply(self._greedy)
        return candidates.chosen() is not None


class ConstrainedChoice:
    """Chooses one token after another, each of which the grammar takes.

    Where the limit comes near, the answer is led to its end by the shortest text that the grammar
    allows, for one that is cut off satisfies nothing.
    """

    def __init__(self, cache: LlamaCache, vocabulary: SegmentVocabulary, chain: Any, asked: Asked) -> None:
        self._cache = cache
        self._vocabulary = vocabulary
        self._chain = chain
        self._asked = asked
        self._candidates = Candidates(vocabulary.size)
        self._follower = Follower(asked.grammar)
        self._pending = b""
        self._last: int | None = None
        self._begun = False
        self._ends_in_time = False
        self._ending: list[int] | None = None
        self._closed = False

    @property
    def finish(self) -> Finish:
        """Why there was no next token."""
        return Finish.STOP if self._ending is None else Finish.LENGTH

    @property
    def satisfied(self) -> bool:
        """Whether what was chosen is all that the grammar asks for."""
        return self._closed or (self._follower.complete and not self._pending)

    def allows(self, text: str, /) -> bool:
        return self._asked.answer.allows(text)

    def next(self, left: int, /) -> int | None:
        """The next of at most `left` tokens, None where the answer is at its end."""
        self._begin(left)
        if self._follower.ended and not self._pending:
            return None
        token = self._of_ending() if self._ending is not None else self._chosen()
        if token is None or self._vocabulary.ends_turn(token):
            self._closed = token is not None
            return None
        if self._ending is None and self._leads_too_far(token, left):
            self._ending = list(self._ids(self._follower.ending()))
            token = self._of_ending()
        if token is not None:
            self._accept(token)
        return token

    def take(self, token: int, left: int, /) -> bool:
        """Go on behind a token that was not chosen here; False where the grammar does not take it, or
        the answer could not be ended behind it."""
        self._begin(left)
        if self._ending is not None or not self._asked.takes(token) or self._leads_too_far(token, left):
            return False
        self._accept(token)
        return True

    def _begin(self, left: int) -> None:
        if not self._begun:
            self._begun, self._ends_in_time = True, self._can_end(self._follower, left)

    def _of_ending(self) -> int | None:
        """The next token of the shortest ending."""
        token = self._ending.pop(0) if self._ending else None
        return token if token is not None and self._asked.takes(token) else None

    def _chosen(self) -> int | None:
        """A token that the grammar takes; None where it takes none that there is."""
        logits = self._cache.prediction()
        self._candidates.fill(logits)
        self._candidates.apply(self._chain)
        token = self._candidates.chosen()
        if token is not None and self._asked.takes(token):
            return token
        if not self._narrowed(logits) and not self._among_all(logits):
            return None
        self._candidates.apply(self._chain)
        return self._candidates.chosen()

    def _among_all(self, logits: Any) -> bool:
        """Refuse what the grammar does not take; False where nothing is left."""
        self._candidates.fill(logits)
        return self._asked.refuse(self._candidates)

    def _narrowed(self, logits: Any) -> bool:
        """The same among the likeliest tokens alone, which takes a tenth of the time; False where that
        might not come to the same."""
        if self._asked.narrowing is None:
            return False
        self._candidates.fill(logits)
        least = self._asked.narrow(self._candidates)
        return self._asked.narrowing.suffices(self._candidates.logits(), least)

    def _leads_too_far(self, token: int, left: int) -> bool:
        """Whether the answer could not be ended behind this token."""
        if self._pending or not self._ends_in_time:
            return False
        text, pending = self._read(token)
        spare = left - 1 - (CHARACTER_BYTES if pending else 0)
        return not self._can_end(self._follower.after(text), spare)

    def _can_end(self, follower: Follower, left: int) -> bool:
        """Whether so many tokens are enough for an end, where that is known."""
        if not follower.knows or follower.distance * CHARACTER_BYTES <= left:
            return True
        ending = follower.ending()
        return len(ending.encode()) <= left or len(self._ids(ending)) <= left

    def _ids(self, text: str) -> tuple[int, ...]:
        return self._vocabulary.tokenize(text, special=True, after=self._last)

    def _read(self, token: int) -> tuple[str, bytes]:
        """The whole characters behind a token, and the bytes of one that is not whole yet."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(self._pending + self._vocabulary.piece(token))
        return text, decoder.getstate()[0]

    def _accept(self, token: int) -> None:
        library().llama_sampler_accept(self._chain, token)
        self._asked.accept(token)
        text, self._pending = self._read(token)
        self._follower = self._follower.after(text)
        self._last = token
