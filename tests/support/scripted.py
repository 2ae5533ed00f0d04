"""A model whose answers are written down, with the cells, events and errors of a real one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.conversation import Finish
from ctxchat.domain.costs import Costs
from ctxchat.domain.errors import CtxChatError, EngineError, PromptTooLargeError
from ctxchat.domain.events import EngineEvent, Generated, ModelLoading, Prefilled
from ctxchat.domain.measurement import Calibration
from ctxchat.domain.model import CachePlan, Generation, ModelFacts, Restoration
from ctxchat.domain.ports import Template
from ctxchat.domain.receipt import Memory
from ctxchat.engine.answer_stream import AnswerStream
from ctxchat.engine.grammar.follower import Follower, grammar_of
from ctxchat.engine.llama.branches import Branches
from ctxchat.engine.llama.cells import CHAT, SIDE, Cells
from ctxchat.engine.prefix import common_prefix
from ctxchat.engine.reasoning_budget import ReasoningBudget
from tests.support.characters import CONTROL, BracketTemplate, CharacterVocabulary

END_OF_TURN = CONTROL["<end>"]
BYTES_PER_TOKEN = 100
FILE_BYTES = 1000
LETTERS = "abcdefghijklmnopqrstuvwxyz "


@dataclass
class ScriptedDisk:
    """What is kept by conversation, what is to be said of files that are damaged, and what sets those apart
    under which a conversation is kept instead."""

    held: dict[str, tuple[int, ...]] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    apart: dict[str, str] = field(default_factory=dict)

    def share(self, holder: str, other: str) -> None:
        if holder in self.held:
            self.held[other] = self.held[holder]

    def release(self, holder: str) -> None:
        self.held.pop(holder, None)

    def sizes(self) -> dict[str, int]:
        return {holder: len(ids) * BYTES_PER_TOKEN for holder, ids in self.held.items()}


class ScriptedCache:
    """Cells that are only counted."""

    type_k = "f16"
    type_v = "f16"
    bytes_per_token = BYTES_PER_TOKEN

    def __init__(self, window: int, disk: ScriptedDisk, *, trims: bool) -> None:
        self.mirror = Cells(trims=trims)
        self.branches = Branches(self.mirror)
        self.window = window
        self.capacity = 0
        self.trims = trims
        self.disk = disk

    def cells(self, sequence: int = CHAT) -> int:
        return self.mirror.count(sequence)

    def plan(self, ids: Sequence[int], limit: int) -> CachePlan:
        return self.branches.plan(ids, self.window)

    def go_back_to(self, ids: Sequence[int]) -> None:
        self.branches.go_back_to(ids, self)

    def bytes_per_token_with(self, type_k: str) -> int | None:
        return {"f16": BYTES_PER_TOKEN, "q8_0": BYTES_PER_TOKEN * 3 // 4}.get(type_k)

    def fork(self, source: int, target: int, cells: int) -> None:
        if cells > self.cells(source):
            raise EngineError(f"sequence {source} holds {self.cells(source)} cells, not {cells}")
        self.mirror.fork(source, target, cells)

    def trim(self, sequence: int, cells: int) -> None:
        self.mirror.keep(sequence, cells)

    def drop(self, sequence: int) -> None:
        self.trim(sequence, 0)

    def restorable(self, ids: Sequence[int]) -> int:
        commons = [(common_prefix(kept, tuple(ids)), len(kept)) for kept in self.disk.held.values()]
        return max((common for common, kept in commons if self.trims or common == kept < len(ids)), default=0)

    def restore(self, ids: Sequence[int], limit: int) -> Restoration:
        refused = tuple(self.disk.damaged)
        self.disk.damaged.clear()
        begin = common_prefix(self.mirror.ids(CHAT), tuple(ids)) if self.trims else 0
        end = self.restorable(ids)
        if end <= common_prefix(self.mirror.ids(CHAT), tuple(ids)) or len(ids) >= self.window:
            return Restoration(refused=refused)
        self.mirror.keep(CHAT, begin)
        self.mirror.add(CHAT, ids[begin:end])
        self.capacity = self.window
        return Restoration(begin, end, refused)

    def kept_apart(self, holder: str) -> str | None:
        return self.disk.apart.get(holder)

    def save(self, holder: str, ids: Sequence[int], cancel: Cancel) -> None:
        held = self.mirror.ids(CHAT)
        common = common_prefix(held, tuple(ids))
        if common and not cancel.requested and (self.trims or common == len(held)):
            self.disk.held[holder] = held[:common]


class ScriptedModel:
    """Answers with `answers` in their order, one character a token; an error among them is raised
    after the prompt was read. Where they have run out, with letters that only the prompt decides.

    `on_event` is called with each event before it is given out, and `calibrating` where a calibration
    works: a test may wait there, or cancel.
    """

    def __init__(
        self,
        answers: Sequence[str | CtxChatError] = (),
        *,
        window: int = 2048,
        slice_length: int = 32,
        trims: bool = True,
        template: Template | None = None,
        disk: ScriptedDisk | None = None,
        on_event: Callable[[EngineEvent], None] = lambda _: None,
        calibrating: Callable[[Cancel], None] = lambda _: None,
    ) -> None:
        self.vocabulary = CharacterVocabulary()
        self.template: Template = template or BracketTemplate()
        self.generations: list[Generation] = []
        self.closed = False
        self.answers = list(answers)
        self._window = window
        self._slice = slice_length
        self._trims = trims
        self.disk = disk or ScriptedDisk()
        self._on_event = on_event
        self._calibrating = calibrating
        self._cache: ScriptedCache | None = None
        self.costs: Costs | None = None
        self.calibrations = 0

    @property
    def facts(self) -> ModelFacts:
        if self._cache is None:
            raise EngineError("the model is not loaded")
        return ModelFacts(
            name="scripted",
            path="/models/scripted.gguf",
            architecture="scripted",
            window=self._window,
            layers=2,
            weights=FILE_BYTES,
            trims=self._trims,
        )

    @property
    def cache(self) -> ScriptedCache:
        if self._cache is None:
            raise EngineError("the model is not loaded")
        return self._cache

    @property
    def prefixes(self) -> None:
        return None

    def load(self, cancel: Cancel, *, weights: bool = True) -> Iterator[ModelLoading]:
        for done in (0, FILE_BYTES // 2, FILE_BYTES):
            if cancel.requested or self._cache:
                return
            yield ModelLoading(done, FILE_BYTES)
        if not cancel.requested:
            self._cache = ScriptedCache(self._window, self.disk, trims=self._trims)

    def generate(self, generation: Generation, cancel: Cancel) -> Iterator[EngineEvent]:
        for event in self._events(generation, cancel):
            self._on_event(event)
            yield event

    def calibrate(self, cancel: Cancel, seconds: float) -> Iterator[Calibration]:
        self._calibrating(cancel)
        if not cancel.requested:
            self.calibrations += 1
        yield Calibration(0, self._window, 0.0, (1, 1))

    def memory(self) -> Memory:
        kv = self.cache.capacity * BYTES_PER_TOKEN
        return Memory(weights=FILE_BYTES, kv=kv, compute=None, resident=None)

    def close(self) -> None:
        self.closed, self._cache = True, None

    def _events(self, generation: Generation, cancel: Cancel) -> Iterator[EngineEvent]:
        self.generations.append(generation)
        ids, cache = tuple(generation.ids), self.cache
        if not ids:
            raise EngineError("the prompt is empty")
        plan = cache.mirror.plan(ids, self._window) if generation.aside else cache.plan(ids, generation.limit)
        needed = cache.cells() + plan.evaluated + generation.limit if generation.aside else len(ids) + 1
        if needed > self._window:
            raise PromptTooLargeError(f"{needed} cells are needed and the window holds {self._window}")
        cache.capacity = self._window
        if not generation.aside:
            cache.branches.turn_to(ids, cache, answers=generation.limit > 0)
            yield from self._answered(generation, plan, cancel, CHAT)
            return
        try:
            cache.mirror.fork(CHAT, SIDE, plan.reused)
            yield from self._answered(generation, plan, cancel, SIDE)
        finally:
            cache.mirror.keep(SIDE, 0)

    def _answered(
        self, generation: Generation, plan: CachePlan, cancel: Cancel, sequence: int
    ) -> Iterator[EngineEvent]:
        ids, cache = tuple(generation.ids), self.cache
        yield Prefilled(0, plan.evaluated)
        for begin in range(plan.reused, len(ids), self._slice):
            if cancel.requested:
                break
            cache.mirror.add(sequence, ids[begin : begin + self._slice])
            yield Prefilled(cache.cells(sequence) - plan.reused, plan.evaluated)
        if cancel.requested:
            yield Generated(Finish.CANCELLED, "", ())
        else:
            yield from self._decode(generation, cancel, sequence)

    def _decode(self, generation: Generation, cancel: Cancel, sequence: int) -> Iterator[EngineEvent]:
        stream = AnswerStream(
            generation.reasoning, in_reasoning=generation.in_reasoning, stops=generation.sampling.stop
        )
        finish, budget = Finish.LENGTH, ReasoningBudget(generation, self.vocabulary)
        answer, token = self._answer(generation), generation.ids[-1]
        if generation.constraint:
            answer = self._constrained(answer, generation.constraint)
        for _ in range(generation.limit):
            forced = budget.forced(stream, token)
            token = next(answer) if forced is None else forced
            if cancel.requested:
                finish = Finish.CANCELLED
            elif token == END_OF_TURN:
                finish = Finish.STOP
            else:
                yield from stream.feed(token, self.vocabulary.text((token,)).encode())
                finish = Finish.STOP if stream.stopped else finish
            if finish is not Finish.LENGTH or self.cache.cells(sequence) >= self._window:
                break
            self.cache.mirror.add(sequence, (token,))
        yield from stream.finish()
        done = stream.generated(finish)
        asked = generation.constraint
        yield replace(done, satisfied=asked is None or grammar_of(asked.grammar).allows(done.text))

    def _constrained(self, answer: Iterator[int], constraint: Constraint) -> Iterator[int]:
        """The ids of an answer, and where the grammar does not take one, the next of its shortest end."""
        follower = Follower(grammar_of(constraint.grammar))
        for token in answer:
            text = self.vocabulary.text((token,))
            if not follower.after(text).knows or token == END_OF_TURN:
                text = follower.ending()[:1]
            if not text:
                yield END_OF_TURN
                return
            follower = follower.after(text)
            yield from self.vocabulary.tokenize(text, special=False, after=None)

    def _answer(self, generation: Generation) -> Iterator[int]:
        """The ids of the answer, and of the end of the turn where it was written down."""
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, CtxChatError):
                raise answer
            yield from self.vocabulary.tokenize(answer, special=True, after=None)
            yield END_OF_TURN
        state = sum(place * token for place, token in enumerate(generation.ids, 1))
        while True:
            state = (state * 1103515245 + 12345) % 2**31
            yield from self.vocabulary.tokenize(
                LETTERS[state // 65536 % len(LETTERS)], special=False, after=None
            )
