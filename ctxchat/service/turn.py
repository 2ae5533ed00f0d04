"""What is known of a turn while it runs, and the receipt it ends in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ctxchat.domain.conversation import Change, Conversation, Finish, Message, Section, Segment
from ctxchat.domain.cost import CostCurve, attention_pairs
from ctxchat.domain.errors import CtxChatError, UnsatisfiedError
from ctxchat.domain.events import (
    EngineEvent,
    Generated,
    Prefilled,
    ReasoningGenerated,
    TextGenerated,
    Warned,
)
from ctxchat.domain.model import CachePlan, ModelFacts, Restoration
from ctxchat.domain.ports import Clock
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import (
    Citation,
    Failure,
    FilterStep,
    KvCost,
    Latency,
    Memory,
    Predicted,
    Receipt,
)


@dataclass
class Stopwatch:
    """The moments of a turn, in seconds since the process began; None until they are reached.
    `retrieval`, `compaction`, `restoring` and `ahead`, what was prefilled before the prompt was whole, are
    durations."""

    clock: Clock
    load: float | None = None
    retrieval: float = 0.0
    compaction: float = 0.0
    ahead: float = 0.0
    restoring: float = 0.0
    prefill_began: float | None = None
    prefill_ended: float | None = None
    first_token: float | None = None
    ended: float | None = None

    def see(self, event: EngineEvent) -> None:
        """Note the moment of an engine's event."""
        match event:
            case Prefilled(done, total):
                if self.prefill_began is None:
                    self.prefill_began = self.clock.seconds() - self.ahead - self.restoring
                if done == total:
                    self.prefill_ended = self.clock.seconds()
            case ReasoningGenerated() | TextGenerated():
                if self.first_token is None:
                    self.first_token = self.clock.seconds()
            case Generated():
                self.ended = self.clock.seconds()
            case Warned():
                pass

    def latency(self, evaluated: int | None, decoded: int | None) -> Latency:
        """Durations, and rates over `evaluated` prompt tokens and `decoded` answer tokens."""
        prefill = _between(self.prefill_began, self.prefill_ended)
        decode = _between(self.prefill_ended, self.ended)
        return Latency(
            load=self.load,
            retrieval=self.retrieval,
            compaction=self.compaction,
            prefill=prefill,
            first_token=_between(self.prefill_began, self.first_token),
            decode=decode,
            total=self.clock.seconds(),
            prefill_rate=_rate(evaluated, None if prefill is None else prefill - self.restoring),
            decode_rate=_rate(decoded, decode),
        )


@dataclass
class TurnNotes:
    """What was recalled for a turn, with its texts by their labels, and what stands in the window since
    earlier turns."""

    recalled: tuple[Citation, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    standing: Mapping[str, tuple[Citation, str]] = field(default_factory=dict)

    def cited_in(self, answer: str) -> tuple[Citation, ...]:
        """What was recalled now, and of what was recalled before, or never, whatever the answer cites."""
        if not answer or not (self.recalled or self.standing):
            return self.recalled
        from ctxchat.context.citations import cited

        standing = [citation for citation, _ in self.standing.values()]
        texts = {label: text for label, (_, text) in self.standing.items()} | dict(self.texts)
        now = {citation.label for citation in self.recalled}
        every = cited(answer, (*self.recalled, *standing), texts)
        return tuple(citation for citation in every if citation.cited or citation.label in now)


@dataclass
class Turn:
    """One turn in progress. `writes` says whether it is recorded; parts that are not reached yet
    are None. `past` are the messages behind all summaries, `begun` is an answer that is gone on with, and
    `change` what the new answer does to the path. `curve` is what was known of costs when it began, and
    `restoring` how long cells were to take to come back from disk by that. `ahead` is how the prompt met the
    cells before a part of it was read ahead of the rest, and `restoration` what came back from disk."""

    watch: Stopwatch
    writes: bool
    max_tokens: int | None = None
    think: bool | None = None
    conversation: Conversation | None = None
    question: Message | None = None
    begun: Message | None = None
    change: Change | None = None
    facts: ModelFacts | None = None
    prompt: Prompt | None = None
    kv: KvCost | None = None
    curve: CostCurve | None = None
    restoring: float = 0.0
    memory: Memory | None = None
    generated: Generated | None = None
    failure: CtxChatError | None = None
    cancelled: bool = False
    past: tuple[Message, ...] = ()
    ahead: CachePlan | None = None
    restoration: Restoration = field(default_factory=Restoration)
    filters: tuple[FilterStep, ...] = ()
    notes: TurnNotes = field(default_factory=TurnNotes)
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)

    def see(self, event: EngineEvent) -> None:
        """Keep what an engine's event says."""
        self.watch.see(event)
        match event:
            case TextGenerated(text):
                self.text.append(text)
            case ReasoningGenerated(text):
                self.reasoning.append(text)
            case Generated():
                self.generated = event
            case Prefilled() | Warned():
                pass

    @property
    def is_in_text(self) -> bool:
        """Whether an answer is gone on with behind its reasoning."""
        return self.begun is not None and self.prompt is not None and not self.prompt.opens_reasoning

    @property
    def finish(self) -> Finish | None:
        if self.failure is not None and not isinstance(self.failure, UnsatisfiedError):
            return Finish.ERROR
        if self.generated is not None:
            return self.generated.finish
        return Finish.CANCELLED if self.cancelled else None

    def answer(self, *, strips_reasoning: bool) -> tuple[Segment, ...]:
        """The answer's segments as they are recorded, none where nothing was said.

        Where reasoning will be stripped, ids that begin inside it are not kept: the text is
        tokenized again. A model that failed gave no ids at all.
        """
        done = self.generated or Generated(Finish.ERROR, "".join(self.text), (), "".join(self.reasoning))
        failed = done.finish is Finish.ERROR
        if (failed or done.finish is Finish.CANCELLED) and not done.text and not done.reasoning:
            return ()
        whole = not failed and (done.aligned or not strips_reasoning)
        answer = Segment(Section.HISTORY, done.text, done.text_ids if whole else None)
        if not done.reasoning_ids and not done.reasoning:
            return (answer,)
        ids = None if failed else done.reasoning_ids
        return (Segment(Section.HISTORY, done.reasoning, ids, reasoning=True), answer)

    def receipt(self) -> Receipt:
        """The turn as it ended."""
        done = self.generated
        answer_tokens = len(done.text_ids) + len(done.reasoning_ids) if done else None
        return Receipt(
            answer="".join(self.text),
            finish=self.finish,
            reasoning="".join(self.reasoning) or None,
            error=Failure(self.failure.exit_code, str(self.failure)) if self.failure else None,
            model_name=self.facts.name if self.facts else None,
            model_path=self.facts.path if self.facts else None,
            session=(self.conversation.id or None) if self.conversation else None,
            prompt=self.prompt,
            attention_pairs=self._attention_pairs(),
            kv=self.kv,
            memory=self.memory,
            latency=self.watch.latency(self.kv.evaluated if self.kv else None, answer_tokens),
            predicted=self.predicted,
            answer_tokens=answer_tokens,
            filters=self.filters,
            notes=self.notes.cited_in("".join(self.text)),
            speculation=done.speculation if done else None,
        )

    @property
    def predicted(self) -> Predicted:
        """What the curve that was known when the turn began foretells of its prompt."""
        if self.curve is None or self.kv is None:
            return Predicted()
        depth = self.kv.reused + self.kv.beside
        prefill = self.restoring + self.curve.prefill(self.kv.evaluated, depth)
        return Predicted(prefill, self.curve.decode(depth + self.kv.evaluated))

    def _attention_pairs(self) -> int | None:
        if self.facts is None or self.prompt is None or self.kv is None:
            return None
        return attention_pairs(self.kv.reused, self.prompt.total, self.facts.layers)


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else end - begin


def _rate(tokens: int | None, seconds: float | None) -> float | None:
    return tokens / seconds if tokens and seconds else None
