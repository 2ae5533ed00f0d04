"""What is recalled for one question."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Thread
from time import monotonic

from ctxchat.context.attachments import still_attached
from ctxchat.context.recall import CANDIDATES, SHARE, Count, Recalled, labels_in, near, query_of, recalled
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Message, Omission, Role, sent
from ctxchat.domain.errors import NotesUnreachableError
from ctxchat.domain.passage import Hit, PassageKind, Scope
from ctxchat.domain.ports import Recall
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Citation
from ctxchat.service.assembly import Assembly, Past

_MOST_SECONDS, _STEP_SECONDS = 20.0, 0.05
"""How long is waited for what is opened beside a turn, and how often an interruption is looked for."""


@dataclass
class Recollection:
    """Finds what matters to one question. `collections` None means all there are. Without `writes` no file
    is changed by it.

    What searching needs is imported and opened beside whatever else the turn does, once the model is
    loaded: before that it would hold up the loading.
    """

    recall: Recall
    collections: tuple[str, ...] | None
    writes: bool = True
    _query: str = field(default="", init=False)
    _opening: Thread | None = field(default=None, init=False)
    _missed: str | None = field(default=None, init=False)

    def open(self, conversation: Conversation, past: Past, question: Message) -> None:
        """Begin to open the notes, where something is asked and there is anything to look at."""
        self._query = query_of(question.spoken, [m.spoken for m in past.messages if m.role is Role.USER])
        scope = self._scope(conversation, past, question)
        if self.writes and self._query and self.recall.holds(scope):
            self._opening = Thread(target=self._warm, name="notes", daemon=True)
            self._opening.start()

    @property
    def opened(self) -> bool:
        """Whether the notes were opened."""
        return self._opening is not None

    @property
    def is_opening(self) -> bool:
        return self._opening is not None and self._opening.is_alive()

    def wait(self, cancel: Cancel) -> None:
        """Until the notes are opened, as long as that may take."""
        until = monotonic() + _MOST_SECONDS
        while self._opening and self._opening.is_alive() and not cancel.requested and monotonic() < until:
            self._opening.join(_STEP_SECONDS)

    def remarks(self) -> list[str]:
        """What is to be said of the notes that were looked for."""
        if self._missed:
            return [f"{self._missed}; this turn is without notes"]
        return self.recall.remarks(self.collections) if self.opened else []

    def found(
        self,
        conversation: Conversation,
        past: Past,
        question: Message,
        prompt: Prompt,
        assembly: Assembly,
    ) -> Recalled | None:
        """The passages that go before the words of a question, None where nothing is near it."""
        scope = self._scope(conversation, past, question)
        if not self._query or not self.recall.holds(scope):
            return None
        hits = self._hits(scope)
        usable = assembly.budget.usable
        return recalled(
            near(hit for hit in hits if not _is_data_of(hit, question)),
            window_of(conversation, past, question),
            min(int(usable * SHARE), usable - prompt.total),
            assembly.count,
            assembly.wording.notes,
            # Labels that were reclaimed still stand in answers.
            first=1 + max(labels_in(past.messages), default=0),
            query=self._query,
        )

    def _hits(self, scope: Scope) -> list[Hit]:
        """What is near the question; without notes where their server cannot be asked."""
        try:
            return self.recall.search(self._query, scope, CANDIDATES, writes=self.writes)
        except NotesUnreachableError as error:
            self._missed = str(error)
            without = replace(scope, collections=())
            return self.recall.search(self._query, without, CANDIDATES, writes=self.writes)

    def _scope(self, conversation: Conversation, past: Past, question: Message) -> Scope:
        in_window = (frozenset(m.id for m in past.messages) - past.left_out) | {question.id}
        return Scope(self.collections, conversation.id or None, in_window)

    def _warm(self) -> None:
        """Whatever goes wrong here goes wrong again, and is told, where it is needed: a thread would print
        a traceback."""
        with suppress(Exception):
            self.recall.warm(self.collections)


def window_of(conversation: Conversation, past: Past, question: Message) -> list[Message]:
    """The messages that are sent with what is attached to them."""
    held = past.sent_of(still_attached(sent(past.messages), conversation.reclaimed))
    given_back = conversation.omitted(Omission.ATTACHED)
    return [*(message for message in held if message.id not in given_back), question]


def standing_notes(messages: list[Message], count: Count) -> dict[str, tuple[Citation, str]]:
    """Passages recalled in earlier turns that are sent again, with their texts, by their labels."""
    return {
        f"n{number}": (
            Citation(f"n{number}", segment.passage, source=source, tokens=count(segment.text)),
            segment.text,
        )
        for number, (source, segment) in labels_in(messages).items()
    }


def _is_data_of(hit: Hit, question: Message) -> bool:
    """Of what is attached to this very question the filters have chosen already."""
    return hit.passage.kind is PassageKind.DATA and hit.passage.message == question.id
