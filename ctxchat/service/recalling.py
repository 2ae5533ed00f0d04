"""Messages of a conversation found by a question, as many as a budget of tokens holds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Role
from ctxchat.domain.dates import day
from ctxchat.domain.passage import Hit, PassageKind, Scope
from ctxchat.domain.ports import Conversations, Model, Recall, Vocabulary
from ctxchat.service.references import resolve
from ctxchat.service.transcripts import speaker

HITS = 10


@dataclass(frozen=True, slots=True)
class Recalled:
    """A message that was found. `tokens` counts it as a line with its speaker's name before it."""

    hit: Hit
    tokens: int


class RecallService:
    """Finds what was said. Tokens are counted with the vocabulary of the model that `open_model` finds;
    its weights are not read."""

    def __init__(self, conversations: Conversations, recall: Recall, open_model: Callable[[], Model]) -> None:
        self._conversations = conversations
        self._recall = recall
        self._open_model = open_model
        self._vocabulary: Vocabulary | None = None
        self._tokens: dict[str, int] = {}

    @property
    def exact(self) -> bool:
        """Whether tokens are counted and not estimated. Raises ModelError."""
        return self._vocabulary_of_model().exact

    def resolve(self, reference: str) -> Conversation:
        """The conversation that is meant. Raises UsageError."""
        return resolve(self._conversations, reference)

    def find(
        self, conversation: Conversation, query: str, *, most: int | None = None, budget: int | None = None
    ) -> list[Recalled]:
        """Messages of a conversation, best first: at most `most` (10 where there is no budget either),
        and with a `budget` those that it holds, each sitting's date counted once; what does not fit is
        skipped. Raises ModelError."""
        scope = Scope(conversation=conversation.id, kinds=(PassageKind.TURN,))
        if budget is None:
            hits = self._recall.search(query, scope, HITS if most is None else most)
            return [Recalled(hit, self._count(hit)) for hit in hits]
        packed = list(self._packed(self._recall.search(query, scope), budget))
        return packed[:most]

    def _packed(self, hits: Iterable[Hit], budget: int) -> Iterator[Recalled]:
        dated: set[int | None] = set()
        for hit in hits:
            tokens = self._count(hit)
            date = 0 if hit.sitting in dated else self._length(day(hit.passage.at))
            if tokens + date <= budget:
                budget -= tokens + date
                dated.add(hit.sitting)
                yield Recalled(hit, tokens)

    def _count(self, hit: Hit) -> int:
        passage = hit.passage
        return self._length(f"{speaker(passage.name, passage.role or Role.USER)}: {passage.text}")

    def _length(self, line: str) -> int:
        if line not in self._tokens:
            ids = self._vocabulary_of_model().tokenize(line, special=False, after=None)
            self._tokens[line] = len(ids)
        return self._tokens[line]

    def _vocabulary_of_model(self) -> Vocabulary:
        if self._vocabulary is None:
            model = self._open_model()
            for _ in model.load(Cancel(), weights=False):
                pass
            self._vocabulary = model.vocabulary
        return self._vocabulary
