"""Messages of a conversation found by a question, as many as a budget of tokens holds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ctxchat.domain.conversation import Conversation, Role
from ctxchat.domain.dates import day
from ctxchat.domain.passage import Hit, PassageKind, Scope
from ctxchat.domain.ports import Conversations, Recall
from ctxchat.service.counting import TokenCounter
from ctxchat.service.references import resolve
from ctxchat.service.transcripts import speaker

HITS = 10


@dataclass(frozen=True, slots=True)
class Recalled:
    """A message that was found. `tokens` counts it as a line with its speaker's name before it."""

    hit: Hit
    tokens: int


class RecallService:
    """Finds what was said."""

    def __init__(self, conversations: Conversations, recall: Recall, counter: TokenCounter) -> None:
        self._conversations = conversations
        self._recall = recall
        self._counter = counter

    @property
    def exact(self) -> bool:
        """Whether tokens are counted and not estimated. Raises ModelError."""
        return self._counter.exact

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
            date = 0 if hit.sitting in dated else self._counter.count(day(hit.passage.at))
            if tokens + date <= budget:
                budget -= tokens + date
                dated.add(hit.sitting)
                yield Recalled(hit, tokens)

    def _count(self, hit: Hit) -> int:
        passage = hit.passage
        return self._counter.count(f"{speaker(passage.name, passage.role or Role.USER)}: {passage.text}")
