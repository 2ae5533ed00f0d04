"""One long conversation, held in three ways: what each reads, how long each is waited for, and whether
what a question asks about stands in the prompt."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish, Section
from ctxchat.domain.errors import EngineError, PromptTooLargeError
from ctxchat.domain.events import (
    Compacted,
    ModelLoading,
    PromptBuilt,
    ReasoningGenerated,
    Settling,
    TextGenerated,
    TurnFinished,
    Warned,
)
from ctxchat.domain.ports import Clock
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.service.bench_talk import Saying, talk
from ctxchat.service.bench_ways import ORDER, TURN, ChatReport, ChatTurn, Held, Way, WayReport
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest

ANSWER = 32
"""Tokens of an answer, at the most."""

LEAST_TURNS = 8
"""In which two questions ask for what was told before."""

SESSION = "bench chat"


@dataclass(frozen=True, slots=True)
class Stage:
    """A service over a record of its own. `narrow` sends one turn less from now on, False where there is
    none left to drop."""

    service: ChatService
    narrow: Callable[[], bool] = lambda: False


Step = ModelLoading | Warned | Held | ChatReport


@dataclass
class _Seen:
    """What was seen of one turn so far."""

    prompt: Prompt | None = None
    receipt: Receipt | None = None
    first: float | None = None
    folding: int = 0


@dataclass
class ChatBench:
    """Holds a conversation of `turns` in each way. `open_stage` gives a stage whose model holds
    nothing yet, and may raise ModelError."""

    open_stage: Callable[[Way], AbstractContextManager[Stage]]
    clock: Clock
    window: int
    turns: int
    _last: Receipt | None = field(default=None, init=False)

    def run(self, cancel: Cancel) -> Iterator[Step]:
        """Hold it, and end with a report, also where it was cancelled."""
        ways: list[WayReport] = []
        for way in ORDER:
            if cancel.requested:
                break
            with self.open_stage(way) as stage:
                ways.append((yield from self._held(way, stage, cancel)))
        yield ChatReport(
            model=self._last.model_name if self._last else None,
            path=self._last.model_path if self._last else None,
            window=self.window,
            turns=self.turns,
            ways=tuple(sorted(ways, key=lambda report: list(Way).index(report.way))),
        )

    def _held(self, way: Way, stage: Stage, cancel: Cancel) -> Generator[Step, None, WayReport]:
        said = talk(self.turns)
        asked = sum(saying.evidence is not None for saying in said)
        report = WayReport(way, turns=(), full=False, asked=asked)
        yield Held(report)
        for event in stage.service.load(cancel):
            if isinstance(event, ModelLoading | Warned):
                yield event
        if cancel.requested:
            return report
        for number, saying in enumerate(said, start=1):
            try:
                turn = self._turn(way, stage, number, saying, cancel)
            except PromptTooLargeError:
                report = replace(report, full=True)
            else:
                report = replace(report, turns=(*report.turns, turn)) if turn else report
            yield Held(report)
            if report.full or cancel.requested:
                break
        return report

    def _turn(self, way: Way, stage: Stage, number: int, saying: Saying, cancel: Cancel) -> ChatTurn | None:
        """One turn; None where it was cancelled before its answer was out. Raises PromptTooLargeError
        where the window is full, and EngineError where the model failed."""
        while True:
            began, seen = self.clock.seconds(), _Seen()
            self._follow(stage, way, saying, seen, cancel)
            receipt = seen.receipt
            assert receipt is not None
            if not (receipt.error and receipt.error.code == PromptTooLargeError.exit_code):
                break
            if not stage.narrow():
                raise PromptTooLargeError(receipt.error.message)
        if receipt.error:
            raise EngineError(receipt.error.message)
        if receipt.finish is Finish.CANCELLED or receipt.kv is None or seen.prompt is None:
            return None
        self._last, cells = receipt, receipt.kv.cells
        first = None if seen.first is None else seen.first - began
        evaluated = receipt.kv.evaluated + seen.folding
        upkeep = _upkeep(stage, cancel) if way is Way.MANAGED else 0
        return ChatTurn(number, first, evaluated, upkeep, cells, _kept(saying, seen.prompt))

    def _follow(self, stage: Stage, way: Way, saying: Saying, seen: _Seen, cancel: Cancel) -> None:
        request = AskRequest(
            saying.text,
            session=SESSION,
            memory=way is Way.MANAGED,
            think=False,
            sampling=Sampling(temperature=0.0, max_tokens=ANSWER),
        )
        for event in stage.service.ask(request, cancel):
            match event:
                case PromptBuilt(prompt):
                    seen.prompt = prompt
                case Compacted(evaluated=evaluated):
                    seen.folding += evaluated
                case ReasoningGenerated() | TextGenerated() if seen.first is None:
                    seen.first = self.clock.seconds()
                case TurnFinished(receipt):
                    seen.receipt = receipt
                case _:
                    pass


def turns_for(window: int) -> int:
    """Turns that fill a window twice."""
    return max(LEAST_TURNS, 2 * window // TURN)


def _kept(saying: Saying, prompt: Prompt) -> bool | None:
    if saying.evidence is None:
        return None
    sent = "".join(piece.text for piece in prompt.pieces if piece.section is not Section.QUESTION)
    return saying.evidence in sent


def _upkeep(stage: Stage, cancel: Cancel) -> int:
    """Tokens read while the person reads the answer: for summaries, and ahead of the next question."""
    read = settled = 0
    for event in stage.service.tidy(cancel):
        if isinstance(event, Compacted):
            read += event.evaluated
        elif isinstance(event, Settling):
            read += max(0, event.done - settled)
            settled = event.done
    return read
