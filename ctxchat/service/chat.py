"""One turn, straight through: the only road from a question to an answer."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ctxchat.context.budget import could_fit
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Finish
from ctxchat.domain.errors import CtxChatError, PromptTooLargeError, UsageError
from ctxchat.domain.events import (
    Generated,
    Prefilled,
    PromptBuilt,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.domain.model import Generation
from ctxchat.domain.ports import Clock, Conversations, Model
from ctxchat.domain.prices import Prices
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.window import choose_window, too_large
from ctxchat.service.asking import begin_turn, recorded
from ctxchat.service.assembly import Assembly
from ctxchat.service.idle_calibration import IdleCalibration
from ctxchat.service.journal import Journal
from ctxchat.service.model_in_use import ModelInUse, OpenedModel
from ctxchat.service.plan import Costing, costing, met_at_server, planned_kv
from ctxchat.service.policy import DEFAULT_POLICY, WindowPolicy
from ctxchat.service.preparation import Preparation
from ctxchat.service.remembering import Remembering
from ctxchat.service.request import AskRequest
from ctxchat.service.restoring import restore
from ctxchat.service.satisfaction import check_satisfied
from ctxchat.service.served import count_warnings, pieces_of, served_kv, stretch_of
from ctxchat.service.spending import Spending
from ctxchat.service.texts import Texts
from ctxchat.service.thinking import budget_left, unanswered
from ctxchat.service.turn import Stopwatch, Turn
from ctxchat.service.turn_events import foretold, refuse_rest, warnings, whole
from ctxchat.service.upkeep import FoldNow, Upkeep


class ChatService:
    """Asks a model questions, one at a time, and records them.

    `open_model` finds the model at the first question and raises ModelError where there is none.
    `policy` is what the settings say for a model of a name. Without `remembering` nothing is recalled.
    With `stays` the person goes on asking in this process, and it pays to prepare for that.
    """

    def __init__(
        self,
        open_model: Callable[[], OpenedModel],
        conversations: Conversations,
        clock: Clock,
        texts: Texts,
        *,
        policy: Callable[[str], WindowPolicy] = lambda _: DEFAULT_POLICY,
        remembering: Remembering | None = None,
        stays: bool = False,
    ) -> None:
        self._in_use = ModelInUse(open_model)
        self._clock = clock
        self._texts = texts
        self._policy_for = policy
        self._remembering = remembering or Remembering(None, None)
        self._conversations = conversations
        self._journal = Journal(conversations, clock, texts.wording, texts.system)
        self._stays = stays
        self._calibration = IdleCalibration(clock)
        self._spending = Spending()
        self._stretch = 1.0
        self._last: Turn | None = None
        self._finished: Turn | None = None

    def ask(self, request: AskRequest, cancel: Cancel) -> Iterator[TurnEvent]:
        """Answer a question as a line of events that always ends with TurnFinished.

        Closing the generator cancels the answer and records what there is of it. Raises
        UsageError for a request that cannot be asked.
        """
        turn = Turn(Stopwatch(self._clock), request.writes, request.sampling.max_tokens, request.thinks)
        self._finished = None
        try:
            self._remembering.begin(request)
            with self._journal.conversation(request) as conversation:
                begin_turn(turn, request, self._journal, conversation)
                yield from self._turn(request, turn, cancel)
        except UsageError:
            raise
        except CtxChatError as failure:
            turn.failure = failure
        self._spending.add(turn.prices, (turn.usage, *turn.asides))
        yield TurnFinished(replace(turn.receipt(), spent=self._spending.total))

    @property
    def model(self) -> Model | None:
        """The model in use, None before it was needed."""
        return self._in_use.model

    @property
    def prices(self) -> Prices | None:
        """What the tokens of the model in use cost."""
        return self._in_use.prices

    def load(self, cancel: Cancel) -> Iterator[TurnEvent]:
        """Load the model ahead of the first turn, then open what recall needs. Raises ModelError."""
        model = yield from self._opened()
        yield from model.load(cancel)
        if not cancel.requested:
            yield from self._remembering.warm()

    def use_model(self, open_model: Callable[[], OpenedModel]) -> None:
        """Answer with another model from now on. What was said is tokenized for it at the next turn."""
        self._in_use.change(open_model)
        self._finished = self._last = None
        self._stretch = 1.0

    @contextmanager
    def counting(self, max_tokens: int | None) -> Iterator[Assembly]:
        """What builds prompts in any thread, to count them; the model is not closed meanwhile. Raises
        EngineError where none is loaded."""
        with self._in_use.staying_open() as model:
            yield self._assembly(model, max_tokens)

    def standing(self, conversation: Conversation, max_tokens: int | None, cancel: Cancel) -> Prompt:
        """What the next turn of a conversation would send before its question. The weights are not
        read. Raises ModelError."""
        model = self._in_use.opened().model
        for _ in model.load(cancel, weights=False):
            pass
        assembly = self._assembly(model, max_tokens)
        return assembly.prompt(conversation, assembly.past(conversation), None)

    def tidy(self, cancel: Cancel) -> Iterator[TurnEvent]:
        """What is done while the person reads: what the turn cost is learned, and the conversation used
        last is kept up, and the notes it was answered from. Nothing is lost where it is cancelled, and
        what goes wrong with the conversation waits for the next turn to be told."""
        model = self.model
        if model is None:
            return
        if model.costs is not None:
            model.costs.learn()
        if self._finished is not None and not cancel.requested:
            yield from self._kept_up(model, self._finished, cancel)
        if self._stays:
            yield from self._calibration.run(model, cancel)

    def _kept_up(self, model: Model, turn: Turn, cancel: Cancel) -> Iterator[TurnEvent]:
        assert turn.conversation
        assembly = self._assembly(model, turn.max_tokens)
        requests, stays = self._texts.requests, self._stays
        yield from Upkeep(assembly, turn.conversation.id, requests, turn.think, stays).steps(cancel)
        if not cancel.requested:
            yield from self._remembering.mend()

    def compact(
        self,
        conversation: Conversation,
        max_tokens: int | None,
        cancel: Cancel,
        *,
        through: str | None = None,
        focus: str = "",
    ) -> Iterator[TurnEvent]:
        """Fold the turns of a conversation up to that of a message, or all but the last, now. The summary
        keeps above all what `focus` names. Raises UsageError where there is none to fold."""
        model = yield from self._opened()
        yield from model.load(cancel)
        if not cancel.requested:
            upkeep = Upkeep(self._assembly(model, max_tokens), conversation.id, self._texts.requests)
            yield from upkeep.fold(FoldNow(through, focus), cancel)

    def costing(self, receipt: Receipt) -> Costing | None:
        """What the prompt of a receipt would cost otherwise; None without a prompt."""
        return costing(receipt, self.model, self._in_use.prices)

    def close(self) -> None:
        """Give the model's memory back."""
        self._in_use.close()

    def _turn(self, request: AskRequest, turn: Turn, cancel: Cancel) -> Iterator[TurnEvent]:
        model = yield from self._loaded(request, turn, cancel)
        if cancel.requested:
            turn.cancelled = True
            return
        turn.curve = model.costs.curve() if model.costs else None
        turn.prices = self._in_use.prices
        assembly = self._assembly(model, request.sampling.max_tokens)
        refuse_rest(request, model)
        yield from warnings(request, model, assembly.window)
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
        before = self._before(turn)
        turn.kv = planned_kv(model, prompt, turn, pieces_of(before), dry_run=request.dry_run)
        yield from foretold(turn, model, dry_run=request.dry_run)
        if not request.dry_run:
            self._last = turn
            yield from self._generate(request, turn, model, before, cancel)
            yield from count_warnings(turn)

    def _before(self, turn: Turn) -> Turn | None:
        """The turn that cells were read for last, where it was of the same conversation."""
        last = self._last
        if last is None or not (last.conversation and turn.conversation):
            return None
        return last if last.conversation.id == turn.conversation.id else None

    def _assembly(self, model: Model, max_tokens: int | None) -> Assembly:
        policy, facts = self._policy_for(model.facts.name), model.facts
        at_server = model.cache is None
        window = choose_window(policy.window, facts.window, max_tokens, facts.room, is_most=at_server)
        policy = policy.stretched(self._stretch, window)
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
        opened = self._in_use.opened()
        if opened.notice:
            yield Warned(opened.notice)
        return opened.model

    def _generate(
        self, request: AskRequest, turn: Turn, model: Model, before: Turn | None, cancel: Cancel
    ) -> Iterator[TurnEvent]:
        assert turn.prompt is not None
        generation = Generation(
            turn.prompt.ids,
            request.sampling,
            limit=turn.prompt.reserve,
            reasoning=None if turn.is_in_text else model.template.behaviour.reasoning,
            in_reasoning=turn.prompt.opens_reasoning,
            constraint=request.constraint,
            reasoning_budget=budget_left(request, turn),
            messages=turn.prompt.messages,
        )
        events = model.generate(generation, cancel)
        try:
            for event in events:
                turn.see(event)
                if isinstance(event, Prefilled):
                    yield from whole(event, turn)
                elif not isinstance(event, Generated):
                    yield event
        except GeneratorExit:
            cancel.request()
            for event in events:
                turn.see(event)
            raise
        finally:
            self._finish(turn, model, before)
        yield from unanswered(turn)
        check_satisfied(request.constraint, turn.generated)

    def _finish(self, turn: Turn, model: Model, before: Turn | None) -> None:
        """Take the last readings, and record the answer, or the part of it there is."""
        if model.cache is None:
            turn.kv = served_kv(turn, met_at_server(model, turn, before))
            self._stretch = max(self._stretch, stretch_of(turn))
        elif turn.kv is not None:
            turn.kv = replace(turn.kv, cells=model.cache.cells(), capacity=model.cache.capacity)
        turn.memory = model.memory()
        segments = recorded(turn, model)
        if segments and turn.writes:
            assert turn.conversation is not None
            assert turn.question is not None
            finish = turn.generated.finish if turn.generated else Finish.ERROR
            fingerprint = model.vocabulary.fingerprint
            self._journal.answer(turn.conversation, turn.question, segments, finish, fingerprint, turn.change)
            self._finished = turn
