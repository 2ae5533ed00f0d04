"""One turn, straight through: the only road from a question to an answer."""

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from ctxchat.context.budget import could_fit
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Finish
from ctxchat.domain.errors import ConversationBusyError, CtxChatError, PromptTooLargeError, UsageError
from ctxchat.domain.events import (
    CostPredicted,
    Generated,
    Prefilled,
    PromptBuilt,
    Restored,
    Saving,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.domain.model import Generation
from ctxchat.domain.ports import Clock, Conversations, Model, Recall
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.window import Window, choose_window, too_large
from ctxchat.service.assembly import Assembly
from ctxchat.service.compaction import Compaction
from ctxchat.service.journal import Journal
from ctxchat.service.plan import Costing, costing, planned_kv
from ctxchat.service.policy import DEFAULT_POLICY, WindowPolicy
from ctxchat.service.preparation import Preparation
from ctxchat.service.remembering import Remembering
from ctxchat.service.request import AskRequest
from ctxchat.service.restoring import restore
from ctxchat.service.texts import Texts
from ctxchat.service.turn import Stopwatch, Turn
from ctxchat.service.upkeep import fold_now, fold_where_due, restored_history, save


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model, loaded or not, and what the person should be told of how it was chosen."""

    model: Model
    notice: str | None = None


class ChatService:
    """Asks a model questions, one at a time, and records them.

    `open_model` finds the model at the first question and raises ModelError where there is none.
    `policy` is what the settings say for a model of a name. Without `recall` nothing is recalled;
    `collections` are those of the settings, None for all there are.
    """

    def __init__(
        self,
        open_model: Callable[[], OpenedModel],
        conversations: Conversations,
        clock: Clock,
        texts: Texts,
        *,
        policy: Callable[[str], WindowPolicy] = lambda _: DEFAULT_POLICY,
        recall: Recall | None = None,
        collections: tuple[str, ...] | None = None,
    ) -> None:
        self._open_model = open_model
        self._clock = clock
        self._texts = texts
        self._policy_for = policy
        self._remembering = Remembering(recall, collections)
        self._conversations = conversations
        self._journal = Journal(conversations, clock, texts.wording, texts.system)
        self._model: Model | None = None
        self._finished: tuple[str, int | None] | None = None

    def ask(self, request: AskRequest, cancel: Cancel) -> Iterator[TurnEvent]:
        """Answer a question as a line of events that always ends with TurnFinished.

        Closing the generator cancels the answer and records what there is of it. Raises
        UsageError for a request that cannot be asked.
        """
        turn = Turn(Stopwatch(self._clock), request.writes, request.sampling.max_tokens)
        self._finished = None
        try:
            self._remembering.begin(request)
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
        assembly = self._assembly(self._model, max_tokens)
        return assembly.prompt(conversation, assembly.past(conversation), None)

    def tidy(self, cancel: Cancel) -> Iterator[TurnEvent]:
        """What is done while the person reads: what the turn cost is learned, and the conversation used
        last is kept up, and the notes it was answered from. Nothing is lost where it is cancelled, and
        what goes wrong with the conversation waits for the next turn to be told."""
        if self._model is not None and self._model.costs is not None:
            self._model.costs.learn()
        if self._finished is None or cancel.requested:
            return
        with suppress(CtxChatError):
            yield from self._folding(*self._finished, cancel, at_once=False)
        yield from self._saving(*self._finished, cancel)
        if not cancel.requested:
            yield from self._remembering.mend()

    def compact(
        self, conversation: Conversation, max_tokens: int | None, cancel: Cancel
    ) -> Iterator[TurnEvent]:
        """Fold all turns of a conversation but the last, now. Raises UsageError where it has none to
        fold."""
        model = yield from self._opened()
        yield from model.load(cancel)
        if not cancel.requested:
            yield from self._folding(conversation.id, max_tokens, cancel, at_once=True)

    def _folding(
        self, conversation_id: str, max_tokens: int | None, cancel: Cancel, *, at_once: bool
    ) -> Iterator[TurnEvent]:
        with self._conversations.hold(conversation_id):
            conversation = self._conversations.find(conversation_id)
            if conversation is None or self._model is None:
                return
            assembly = self._assembly(self._model, max_tokens)
            compaction = Compaction(assembly, conversation, self._texts.requests, writes=True)
            if at_once:
                yield from restored_history(assembly, conversation)
                yield from fold_now(compaction, cancel)
            elif assembly.policy.folds:
                yield from fold_where_due(compaction, cancel)

    def _saving(
        self, conversation_id: str, max_tokens: int | None, cancel: Cancel
    ) -> Iterator[Saving | Warned]:
        """Keep the cells of a conversation on disk, as far as its next turn will begin with them."""
        try:
            with self._conversations.hold(conversation_id):
                conversation = self._conversations.find(conversation_id)
                if conversation is not None and self._model is not None:
                    yield from save(self._assembly(self._model, max_tokens), conversation, cancel)
        except ConversationBusyError:
            return  # Whoever answers in it now will keep what it then holds.
        except CtxChatError as error:
            yield Warned(str(error))

    def costing(self, receipt: Receipt) -> Costing | None:
        """What the prompt of a receipt would cost otherwise; None without a prompt, or cells of ours."""
        return costing(receipt, self._model)

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
        turn.curve = model.costs.curve() if model.costs else None
        assembly = self._assembly(model, request.sampling.max_tokens)
        yield from _warnings(request, model, assembly.window)
        yield from self._remembering.warnings()
        recollection = self._remembering.recollection
        preparation = Preparation(request, turn, assembly, self._journal, self._texts.requests, recollection)
        prompt = yield from preparation.prompt(cancel)
        if prompt is None:
            turn.cancelled = True
            return
        turn.prompt = prompt
        if turn.writes:
            self._journal.keep_ids(prompt, model.vocabulary.fingerprint)
        yield PromptBuilt(prompt)
        budget = assembly.budget
        would_fold = request.dry_run and assembly.policy.folds and could_fit(prompt, budget)
        if prompt.total > budget.usable and not would_fold:
            raise PromptTooLargeError(too_large(prompt, assembly.window, budget.usable))
        if not request.dry_run and turn.ahead is None:
            restore(turn, model, prompt.ids, prompt.reserve)
        turn.kv = planned_kv(model, prompt, turn, dry_run=request.dry_run)
        if miss := turn.restoration.miss:
            yield Warned(miss)
        if turn.kv is not None:
            yield CostPredicted(turn.kv, turn.predicted, turn.curve)
            if turn.kv.restored and not request.dry_run:
                yield Restored(turn.kv.restored)
        if not request.dry_run:
            yield from self._generate(request, turn, model, cancel)

    def _assembly(self, model: Model, max_tokens: int | None) -> Assembly:
        policy = self._policy_for(model.facts.name)
        window = choose_window(policy.window, model.facts.window, max_tokens)
        return Assembly(self._conversations, self._texts.wording, model, window, policy)

    def _loaded(self, request: AskRequest, turn: Turn, cancel: Cancel) -> Generator[TurnEvent, None, Model]:
        began = self._clock.seconds()
        model = yield from self._opened()
        yield from model.load(cancel, weights=not request.dry_run)
        turn.watch.load = self._clock.seconds() - began
        if not cancel.requested:
            turn.facts = model.facts
        return model

    def _opened(self) -> Generator[TurnEvent, None, Model]:
        """The model, found at the first need of it."""
        if self._model is None:
            opened = self._open_model()
            self._model = opened.model
            if opened.notice:
                yield Warned(opened.notice)
        return self._model

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
                if isinstance(event, Prefilled):
                    yield from _whole(event, turn)
                elif not isinstance(event, Generated):
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
            self._finished = (turn.conversation.id, turn.max_tokens)


def _whole(event: Prefilled, turn: Turn) -> Iterator[Prefilled]:
    """What is prefilled as a part of all that this turn evaluates, also what was read ahead."""
    total = turn.kv.evaluated if turn.kv else event.total
    if event.done == 0 and total > event.total:
        yield Prefilled(0, total)
    yield Prefilled(event.done + total - event.total, total)


def _warnings(request: AskRequest, model: Model, window: Window) -> Iterator[Warned]:
    if window.warning:
        yield Warned(window.warning)
    if request.think is not None and not model.template.behaviour.switches_thinking:
        yield Warned("--think and --no-think do nothing here: this model's chat template has no such switch")
