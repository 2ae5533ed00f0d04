"""What a server decodes, as it is shown and as it is recorded."""

from dataclasses import replace

from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Generated, ReasoningGenerated, TextGenerated, Usage
from ctxchat.domain.model import Generation
from ctxchat.domain.ports import Vocabulary
from ctxchat.engine.answer_stream import AnswerStream
from ctxchat.engine.reasoning_budget import ReasoningBudget
from ctxchat.engine.server.dialects.constraints import is_satisfied
from ctxchat.engine.server.dialects.dialect import Delta
from ctxchat.engine.server.vocabularies.served import ServedVocabulary
from ctxchat.engine.tokens.segments import SegmentVocabulary

Shown = ReasoningGenerated | TextGenerated


class Answer:
    """One answer while it comes. Where the server sends ids they are the record, and their text is made here
    if the vocabulary is; else the text is the record, and its ids are made from it at the end. `decoded` are
    those that came, as many of them as chunks where none do; of them `begun` are sent as a part of the prompt
    once reasoning was ended in the model's place."""

    def __init__(self, generation: Generation, vocabulary: Vocabulary, *, takes_ids: bool) -> None:
        self._generation, self._vocabulary, self._takes_ids = generation, vocabulary, takes_ids
        self._stream = AnswerStream(
            generation.reasoning, in_reasoning=generation.in_reasoning, stops=generation.sampling.stop
        )
        self._apart: list[str] = []
        self._budget = ReasoningBudget(generation, vocabulary)
        self._ending: list[int] = []
        self.usage = Usage()
        self.finish: Finish | None = None
        self.decoded: list[int] = []
        self.begun = 0

    @property
    def is_cut(self) -> bool:
        """Whether the reasoning has had its tokens, and is to be ended in the model's place."""
        return bool(self._ending)

    @property
    def stopped(self) -> bool:
        """Whether a stop string was decoded."""
        return self._stream.stopped

    def feed(self, delta: Delta) -> list[Shown]:
        """What can be shown of a chunk."""
        self.finish = delta.finish or self.finish
        if delta.usage:
            self.usage = _merged(self.usage, self._since_begun(delta.usage))
        shown: list[Shown] = []
        if delta.reasoning:
            self._apart.append(delta.reasoning)
            shown.append(ReasoningGenerated(delta.reasoning))
        if not self._takes_ids:
            self.decoded += [0] * bool(delta.text)
            return shown + self._stream.feed_text((), delta.text)
        return shown + self._feed_ids(delta)

    def end_reasoning(self) -> list[Shown]:
        """Write what ends the reasoning, and go on behind it."""
        ending, self._ending = tuple(self._ending), []
        self.decoded += ending
        self.begun, self.finish = len(self.decoded), None
        return self._stream.feed_text(ending, self._vocabulary.text(ending))

    def rest(self) -> list[Shown]:
        """What was held back, once nothing more comes."""
        return list(self._stream.finish())

    def generated(self, finish: Finish) -> Generated:
        done = replace(self._stream.generated(finish), usage=self.usage)
        if not self._takes_ids:
            done = self._with_ids(done)
        constraint = self._generation.constraint
        return done if constraint is None else replace(done, satisfied=is_satisfied(constraint, done.text))

    def _since_begun(self, usage: Usage) -> Usage:
        """What was counted of the rest of an answer, as of the whole."""
        begun = self.begun
        if not begun or usage.prompt is None:
            return usage
        answer = None if usage.answer is None else usage.answer + begun
        return Usage(usage.prompt - begun, self.usage.cached, answer)

    def _feed_ids(self, delta: Delta) -> list[Shown]:
        vocabulary = self._vocabulary
        assert isinstance(vocabulary, SegmentVocabulary)
        ids = self._whole(delta, vocabulary)
        if delta.finish is Finish.STOP:
            ids = ids[:-1]  # The token that ends the turn.
        if isinstance(vocabulary, ServedVocabulary):
            return self._feed_together(ids, delta.text)
        shown: list[Shown] = []
        for token in ids:
            if self.stopped or vocabulary.ends_turn(token) or not self._may_come(token):
                break
            shown += self._stream.feed(token, vocabulary.piece(token))
        return shown

    def _feed_together(self, ids: tuple[int, ...], text: str) -> list[Shown]:
        """Tokens whose text cannot be told apart come together, or not at all."""
        if ids and not self._may_come(ids[0]):
            return []
        self.decoded += ids[1:]
        return self._stream.feed_text(ids, text)

    def _may_come(self, token: int) -> bool:
        """Whether reasoning has not had its tokens yet."""
        after = self.decoded[-1] if self.decoded else self._generation.ids[-1]
        forced = self._budget.forced(self._stream, after)
        if forced is not None:
            self._ending = [forced]
            while (forced := self._budget.forced(self._stream, self._ending[-1])) is not None:
                self._ending.append(forced)
            return False
        self.decoded.append(token)
        return True

    def _whole(self, delta: Delta, vocabulary: SegmentVocabulary) -> tuple[int, ...]:
        """The ids of a chunk. Where the server did not send all of them, the text tells those it must have
        been, or others that say the same."""
        if delta.ids and not delta.unseen:
            return delta.ids
        return vocabulary.encode(delta.text, special=False) if delta.text else delta.ids

    def _with_ids(self, done: Generated) -> Generated:
        reasoning = "".join(self._apart) + done.reasoning
        return replace(
            done,
            reasoning=reasoning,
            reasoning_ids=self._vocabulary.tokenize(reasoning, special=False, after=None),
            text_ids=self._vocabulary.tokenize(done.text, special=False, after=None),
        )


def _merged(before: Usage, later: Usage) -> Usage:
    return Usage(
        before.prompt if later.prompt is None else later.prompt,
        before.cached if later.cached is None else later.cached,
        before.answer if later.answer is None else later.answer,
    )
