"""One turn, straight through: the only road from a question to an answer."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

from ctxchat.context.alternatives import Alternative
from ctxchat.context.assemble import PromptContent, Wording, assemble
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Finish, Message, sent
from ctxchat.domain.errors import CtxChatError, PromptTooLargeError, UsageError
from ctxchat.domain.events import (
    CostPredicted,
    Generated,
    PromptBuilt,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.domain.model import Generation
from ctxchat.domain.ports import Clock, Conversations, Model
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import KvCost, Predicted, Receipt
from ctxchat.domain.window import Window, choose_window, too_large
from ctxchat.service.journal import Journal
from ctxchat.service.plan import planned_alternatives
from ctxchat.service.request import AskRequest
from ctxchat.service.turn import Stopwatch, Turn


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model, loaded or not, and what the person should be told of how it was chosen."""

    model: Model
    notice: str | None = None


class ChatService:
    """Asks a model questions, one at a time, and records them.

    `open_model` finds the model at the first question and raises ModelError where there is none.
    `system` and `window` (tokens, None for the default) are what the settings say.
    """

    def __init__(
        self,
        open_model: Callable[[], OpenedModel],
        conversations: Conversations,
        clock: Clock,
        wording: Wording,
        *,
        system: str,
        window: int | None = None,
    ) -> None:
        self._open_model = open_model
        self._clock = clock
        self._wording = wording
        self._window = window
        self._journal = Journal(conversations, clock, wording, system)
        self._model: Model | None = None

    def ask(self, request: AskRequest, cancel: Cancel) -> Iterator[TurnEvent]:
        """Answer a question as a line of events that always ends with TurnFinished.

        Closing the generator cancels the answer and records what there is of it. Raises
        UsageError for a request that cannot be asked.
        """
        turn = Turn(Stopwatch(self._clock), writes=request.writes)
        try:
            with self._journal.conversation(request) as conversation:
                turn.conversation = conversation
                turn.conversation, turn.question = self._journal.ask(request, conversation)
                yield from self._turn(request, turn, cancel)
        except UsageError:
            raise
        except CtxChatError as failure:
            turn.failure = failure
        yield TurnFinished(turn.receipt())

    def standing(self, conversation: Conversation, max_tokens: int | None, cancel: Cancel) -> Prompt:
        """What the next turn of a conversation would send before its question. The weights are not
        read. Raises ModelError."""
        if self._model is None:
            self._model = self._open_model().model
        for _ in self._model.load(cancel, weights=False):
            pass
        window = choose_window(self._window, self._model.facts.window, max_tokens)
        return self._prompt(self._model, window, conversation, None)

    def alternatives(self, receipt: Receipt) -> tuple[Alternative, ...]:
        """What the prompt of a receipt would cost under other budgets and cache types."""
        return planned_alternatives(receipt, self._model.cache if self._model else None)

    def close(self) -> None:
        """Give the model's memory back."""
        if self._model is not None:
            self._model.close()
            self._model = None

    def _turn(self, request: AskRequest, turn: Turn, cancel: Cancel) -> Iterator[TurnEvent]:
        model = yield from self._loaded(request, turn, cancel)
        if cancel.requested:
            turn.cancelled = True
            return
        window = choose_window(self._window, model.facts.window, request.sampling.max_tokens)
        yield from _warnings(request, model, window)
        assert turn.conversation is not None
        prompt = self._prompt(model, window, turn.conversation, turn.question, request.think)
        turn.prompt = prompt
        if turn.writes:
            self._journal.keep_ids(prompt, model.vocabulary.fingerprint)
        yield PromptBuilt(prompt)
        if prompt.total > prompt.usable:
            raise PromptTooLargeError(too_large(prompt, window))
        turn.kv = _planned(model, prompt)
        if turn.kv is not None:
            yield CostPredicted(turn.kv, Predicted())
        if not request.dry_run:
            yield from self._generate(request, turn, model, cancel)

    def _loaded(self, request: AskRequest, turn: Turn, cancel: Cancel) -> Generator[TurnEvent, None, Model]:
        began = self._clock.seconds()
        if self._model is None:
            opened = self._open_model()
            self._model = opened.model
            if opened.notice:
                yield Warned(opened.notice)
        yield from self._model.load(cancel, weights=not request.dry_run)
        turn.watch.load = self._clock.seconds() - began
        if not cancel.requested:
            turn.facts = self._model.facts
        return self._model

    def _prompt(
        self,
        model: Model,
        window: Window,
        conversation: Conversation,
        question: Message | None,
        think: bool | None = None,
    ) -> Prompt:
        history = self._journal.history(conversation, model.vocabulary.fingerprint)
        return assemble(
            PromptContent(
                system=conversation.system,
                pins=[pin for pin in conversation.pins if pin.message is None],
                history=sent(history),
                question=question,
                started=conversation.created,
                think=think,
            ),
            model.vocabulary,
            model.template,
            wording=self._wording,
            window=window.size,
            reserve=window.reserve,
        )

    def _generate(self, request: AskRequest, turn: Turn, model: Model, cancel: Cancel) -> Iterator[TurnEvent]:
        assert turn.prompt is not None
        generation = Generation(
            turn.prompt.ids,
            request.sampling,
            limit=turn.prompt.reserve,
            reasoning=model.template.behaviour.reasoning,
            in_reasoning=turn.prompt.opens_reasoning,
        )
        events = model.generate(generation, cancel)
        try:
            for event in events:
                turn.see(event)
                if not isinstance(event, Generated):
                    yield event
        except GeneratorExit:
            cancel.request()
            for event in events:
                turn.see(event)
            raise
        finally:
            self._finish(turn, model)

    def _finish(self, turn: Turn, model: Model) -> None:
        """Take the last readings, and record the answer, or the part of it there is."""
        if turn.kv is not None and model.cache is not None:
            turn.kv = replace(turn.kv, cells=model.cache.cells(), capacity=model.cache.capacity)
        turn.memory = model.memory()
        segments = turn.answer(strips_reasoning=model.template.behaviour.strips_reasoning)
        if segments and turn.writes:
            assert turn.conversation is not None
            assert turn.question is not None
            finish = turn.generated.finish if turn.generated else Finish.ERROR
            fingerprint = model.vocabulary.fingerprint
            self._journal.answer(turn.conversation, turn.question, segments, finish, fingerprint)


def _warnings(request: AskRequest, model: Model, window: Window) -> Iterator[Warned]:
    if window.warning:
        yield Warned(window.warning)
    if request.think is not None and not model.template.behaviour.switches_thinking:
        yield Warned("--think and --no-think do nothing here: this model's chat template has no such switch")


def _planned(model: Model, prompt: Prompt) -> KvCost | None:
    """What the prompt will cost in cells, before the answer."""
    if model.cache is None:
        return None
    plan = model.cache.plan(prompt.ids, prompt.reserve)
    return KvCost(
        cells=prompt.total,
        capacity=plan.capacity,
        reused=plan.reused,
        evaluated=plan.evaluated,
        bytes_per_token=model.cache.bytes_per_token,
        type_k=model.cache.type_k,
        type_v=model.cache.type_v,
        miss=plan.miss,
    )
