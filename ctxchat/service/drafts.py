"""What a question would cost, counted while it is typed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ctxchat.context.assemble import with_question
from ctxchat.context.attachments import Attachment, question_segments
from ctxchat.domain.conversation import Conversation, Message, Section
from ctxchat.domain.errors import EngineError
from ctxchat.domain.ports import Model, Vocabulary
from ctxchat.domain.prices import Prices
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Predicted
from ctxchat.domain.window import Window
from ctxchat.service.assembly import Assembly
from ctxchat.service.chat import ChatService
from ctxchat.service.draft_cost import Draft
from ctxchat.service.journal import Journal
from ctxchat.service.plan import restoring_seconds
from ctxchat.service.request import AskRequest

_NO_ID, _BYTES_A_TOKEN = -1, 4

_TEXTS = 256
"""Texts whose ids are kept: attached ones, and what the template says."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A prompt with an empty question, and what it was built from."""

    key: tuple[object, ...]
    prompt: Prompt
    question: Message
    vocabulary: Vocabulary
    on_disk: int


class Drafts:
    """Counts drafts, in whatever thread; what stands before the question is kept from one to the next."""

    def __init__(self, chat: ChatService, journal: Journal) -> None:
        self._chat = chat
        self._journal = journal
        self._standing: _Standing | None = None

    def cost(
        self,
        conversation: str | None,
        text: str,
        attachments: Sequence[Attachment] = (),
        max_tokens: int | None = None,
        *,
        think: bool | None = None,
    ) -> Draft | None:
        """What this would cost in a conversation, None meaning a new one; None while no model is loaded.

        It is what a turn sends that recalls nothing, folds nothing and filters nothing that is attached:
        recall adds to it, and where `fits` is False the turn sends less. Raises UsageError, StoreError and
        ModelError.
        """
        try:
            with self._chat.counting(max_tokens) as chat:
                assembly = replace(chat, conversations=self._journal.conversations)
                standing = self._before(assembly, conversation, think)
                prompt = _drafted(standing, text, attachments)
                return _cost(assembly, standing, prompt, self._chat.prices)
        except EngineError:
            return None

    def _before(self, assembly: Assembly, reference: str | None, think: bool | None) -> _Standing:
        request = AskRequest("", record=False, memory=False, think=think)
        found = reference and self._journal.conversations.find(reference)
        with self._journal.conversation(replace(request, session=found.id if found else None)) as held:
            key = _key(assembly, held, think)
            if self._standing is None or self._standing.key != key:
                own = assembly.model.vocabulary
                vocabulary = _Estimated(own) if own.remote else _Remembered(own)
                conversation, question = self._journal.ask(request, held)
                past = assembly.past(conversation, question)
                prompt = assembly.prompt(conversation, past, question, think)
                cache = assembly.model.cache
                on_disk = cache.restorable(prompt.ids) if cache else 0
                self._standing = _Standing(key, prompt, question, vocabulary, on_disk)
            return self._standing


class _Remembered:
    """A vocabulary that keeps the ids of the last texts: attached ones are long, and counted at every
    pause in typing."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.fingerprint = vocabulary.fingerprint
        self.exact = vocabulary.exact
        self.remote = vocabulary.remote
        self.begin = vocabulary.begin
        self._vocabulary = vocabulary
        self._ids = lru_cache(_TEXTS)(self._tokenized)

    def tokenize(self, text: str, *, special: bool, after: int | None) -> tuple[int, ...]:
        return self._ids(text, special, after)

    def text(self, ids: Iterable[int]) -> str:
        return self._vocabulary.text(ids)

    def _tokenized(self, text: str, special: bool, after: int | None) -> tuple[int, ...]:
        return self._vocabulary.tokenize(text, special=special, after=after)


class _Estimated(_Remembered):
    """Guesses, so that nothing that is being written is sent to a server before it is asked."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__(vocabulary)
        self.exact = False

    def tokenize(self, text: str, *, special: bool, after: int | None) -> tuple[int, ...]:  # noqa: ARG002 - of the port
        return (_NO_ID,) * -(-len(text.encode()) // _BYTES_A_TOKEN)


def _key(assembly: Assembly, conversation: Conversation, think: bool | None) -> tuple[object, ...]:
    """All that what stands before a question depends on."""
    model: Model = assembly.model
    window: Window = assembly.window
    if not conversation.id:
        return (id(model), window, assembly.policy, think, conversation.system)
    blocks = tuple(block.id for block in assembly.conversations.blocks(conversation.id))
    return (id(model), window, assembly.policy, think, conversation, blocks)


def _drafted(standing: _Standing, text: str, attachments: Sequence[Attachment]) -> Prompt:
    question = standing.question
    segments = (*question.segments[:-1], *question_segments(text, attachments))
    return with_question(standing.prompt, replace(question, segments=segments), standing.vocabulary)


def _cost(assembly: Assembly, standing: _Standing, prompt: Prompt, prices: Prices | None) -> Draft:
    model, total = assembly.model, prompt.total
    reused, in_cells, beside = _held(model, standing, prompt)
    predicted = Predicted(cost=prices.money(total, reused) if prices else None)
    if curve := model.costs.curve() if model.costs else None:
        restoring = restoring_seconds(model, reused - in_cells)
        reading = curve.prefill(total - reused, reused + beside)
        predicted = Predicted(restoring + reading, curve.decode(total + beside), predicted.cost)
    drafted = [piece for piece in prompt.pieces if piece.owner == standing.question.id]
    return Draft(
        tokens=sum(len(piece.ids) for piece in drafted),
        total=total,
        sections=prompt.sections,
        window=prompt.window,
        reserve=prompt.reserve,
        usable=assembly.budget.usable,
        reused=reused,
        evaluated=total - reused,
        predicted=predicted,
        fits=total <= assembly.budget.usable,
        exact=prompt.exact and standing.vocabulary.exact,
        attached=tuple(len(piece.ids) for piece in drafted if piece.section is Section.DATA),
    )


def _held(model: Model, standing: _Standing, prompt: Prompt) -> tuple[int, int, int]:
    """How many tokens of a prompt need not be read, how many of them are in cells, and the cells beside.
    What a server has cached and does not tell counts as none."""
    if model.cache is None:
        cached = (model.prefixes.expected(prompt.ids) if model.prefixes else None) or 0
        return cached, cached, 0
    plan = model.cache.plan(prompt.ids, prompt.reserve)
    return max(plan.reused, min(standing.on_disk, prompt.total - 1)), plan.reused, plan.beside
