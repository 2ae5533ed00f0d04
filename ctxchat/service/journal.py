"""Where a turn is recorded: the conversation it belongs to, its question, its answer."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ctxchat.context.assemble import SEPARATOR, Wording
from ctxchat.context.attachments import question_segments
from ctxchat.domain.conversation import (
    Change,
    Conversation,
    Finish,
    Message,
    Omission,
    Pin,
    Role,
    Section,
    Segment,
    count_turns,
    new_id,
    sent,
)
from ctxchat.domain.errors import StoreError, UsageError
from ctxchat.domain.path_turns import messages_of_turns
from ctxchat.domain.ports import Clock, Conversations
from ctxchat.domain.prompt import Prompt, SegmentKey
from ctxchat.service.names import first_words
from ctxchat.service.request import AskRequest, Reply


@dataclass(frozen=True)
class Journal:
    """Writes a turn as it happens, so that no crash can lose what was asked.

    A request that is not to be recorded reads its conversation and writes nothing; where it has
    none, the conversation exists for the turn alone and its id is empty.
    """

    conversations: Conversations
    clock: Clock
    wording: Wording
    system: str

    @contextmanager
    def conversation(self, request: AskRequest) -> Iterator[Conversation]:
        """The conversation of a request, held against other processes while it is answered."""
        found = self._existing(request)
        if not request.writes:
            yield found or self._unrecorded(request)
            return
        if found is None:
            found = self._created(request)
        elif request.fork:
            found = self.conversations.fork(found.id)
        with self.conversations.hold(found.id):
            current = self.conversations.find(found.id)
            if current is None:
                raise StoreError("the conversation was deleted meanwhile: nothing was asked")
            yield current

    def history(self, conversation: Conversation, vocabulary: str | None = None) -> tuple[Message, ...]:
        return self.conversations.path(conversation.id, vocabulary) if conversation.head else ()

    def ask(self, request: AskRequest, conversation: Conversation) -> tuple[Conversation, Message]:
        """Write the question down before anybody reads it; it counts as not answered yet.

        Pins of a conversation that has turns ride in the question, so that nothing before it
        changes; those of a new one stand before the history.
        """
        id_, path = new_id(), self.history(conversation)
        left_out = messages_of_turns(path, conversation.omitted(Omission.TURN))
        history = [message for message in sent(path) if message.id not in left_out]
        late = count_turns(history) > 0
        made = (Pin(new_id(), text, pending=late) for text in request.pins)
        pins = tuple(_placed((*conversation.pins, *made), history, id_))
        riding = [pin.text for pin in pins if pin.message == id_]
        segments = (
            *self._pin_segments(riding),
            *question_segments(request.question, (*request.attachments, *request.data)),
        )
        question = Message(id_, conversation.head, Role.USER, segments, self.clock.now(), answered=False)
        if request.writes:
            moved = [pin for pin in pins if pin not in conversation.pins]
            self._write(request, conversation, question, moved)
        system = conversation.system if request.system is None else request.system
        return replace(conversation, system=system, pins=pins), question

    def restate(self, question: Message) -> None:
        """Record what filters and recall have made of a question."""
        self.conversations.restate(question)

    def keep_ids(self, prompt: Prompt, vocabulary: str) -> None:
        """Keep the ids that were made from recorded text while the prompt was built."""
        fresh: dict[SegmentKey, tuple[int, ...]] = {
            piece.source: piece.ids for piece in prompt.pieces if piece.fresh and piece.source
        }
        if fresh:
            self.conversations.keep_ids(vocabulary, fresh)

    def answer(
        self,
        conversation: Conversation,
        question: Message,
        segments: tuple[Segment, ...],
        finish: Finish,
        vocabulary: str,
        change: Change | None = None,
    ) -> None:
        answer = Message(new_id(), question.id, Role.ASSISTANT, segments, self.clock.now(), finish=finish)
        self.conversations.append(conversation.id, answer, vocabulary, change)

    def _existing(self, request: AskRequest) -> Conversation | None:
        found = None
        if request.session is not None:
            found = self.conversations.find(request.session)
        elif request.resume:
            found = self.conversations.latest()
        if found is None and request.reply is not Reply.NEW:
            raise UsageError("there is no such conversation: nothing in it can be answered again")
        if found and request.system is not None and self._has_turns(found):
            raise UsageError(
                "the system message of a conversation that has turns cannot change: "
                "begin a new one, without -c and --session"
            )
        return found

    def _has_turns(self, conversation: Conversation) -> bool:
        return count_turns(self.history(conversation)) > 0

    def _write(
        self, request: AskRequest, conversation: Conversation, question: Message, pins: Sequence[Pin]
    ) -> None:
        if request.system not in (None, conversation.system):
            self.conversations.set_system(conversation.id, self._system(request))
        self.conversations.append(conversation.id, question)
        for pin in pins:
            self.conversations.pin(conversation.id, pin)

    def _created(self, request: AskRequest) -> Conversation:
        name = request.session or first_words(request.question)
        return self.conversations.create(name, self._system(request))

    def _unrecorded(self, request: AskRequest) -> Conversation:
        now = self.clock.now()
        return Conversation("", "", None, self._system(request), now, now)

    def _system(self, request: AskRequest) -> str:
        return self.system if request.system is None else request.system

    def _pin_segments(self, pins: Sequence[str]) -> tuple[Segment, ...]:
        if not pins:
            return ()
        segments = [Segment(Section.TEMPLATE, self.wording.pins[0])]
        for text in pins:
            segments += [Segment(Section.PINS, text), Segment(Section.TEMPLATE, SEPARATOR)]
        return tuple(segments)


def _placed(pins: Iterable[Pin], history: Iterable[Message], question: str) -> Iterator[Pin]:
    """Pins where the next prompt will hold them: those that are pending, or rode in a message that
    is not sent (it was never answered, or lies on another branch), ride in the question."""
    holding = {message.id for message in history}
    for pin in pins:
        if pin.leads or pin.message in holding:
            yield pin
        else:
            yield replace(pin, message=question, pending=False)
