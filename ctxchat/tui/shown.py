"""A conversation of the record as it is shown."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctxchat.context.attachments import attached_texts
from ctxchat.display.receipt_line import ENDINGS
from ctxchat.display.summaries import folded_lines
from ctxchat.domain.conversation import Message, Role, count_turns
from ctxchat.domain.errors import EngineError, UsageError
from ctxchat.domain.ports import Vocabulary
from ctxchat.tui.chat.turn_view import ShownTurn

if TYPE_CHECKING:
    from ctxchat.service.open_services import Services


@dataclass(frozen=True, slots=True)
class ShownConversation:
    """`count` are its turns that were answered."""

    id: str
    name: str
    turns: tuple[ShownTurn, ...]
    count: int


def shown_conversation(
    services: "Services", reference: str | None, *, counted: bool = True
) -> ShownConversation:
    """The conversation that is meant, with tokens where they are to be `counted` and a model is loaded.
    Reads the record: for a thread. Raises CtxChatError."""
    with ExitStack() as stack:
        vocabulary = None
        if counted:
            with suppress(EngineError):
                vocabulary = stack.enter_context(services.vocabulary())
        fingerprint = vocabulary.fingerprint if vocabulary else None
        transcript = services.conversations.transcript(reference, fingerprint)
        conversation, messages = transcript.conversation, transcript.messages
        turns = shown_turns(messages, _folded(services, conversation.id, vocabulary))
    return ShownConversation(conversation.id, conversation.name, tuple(turns), count_turns(messages))


def _folded(services: "Services", conversation: str, vocabulary: Vocabulary | None) -> Mapping[str, str]:
    """By the last message of each summary, a line about it."""
    try:
        summaries = services.summaries.shown(conversation)
    except UsageError:
        return {}
    sizes = services.summaries.sizes(summaries, vocabulary) if vocabulary else None
    return dict(folded_lines(summaries, sizes))


def shown_turns(messages: Iterable[Message], folded: Mapping[str, str]) -> list[ShownTurn]:
    """Turns in their order; a question that was never answered, or an answer without one, stands alone."""
    turns: list[ShownTurn] = []
    for message in messages:
        if message.role is Role.USER:
            turns.append(_asked(message))
        elif message.role is Role.ASSISTANT:
            if not turns or turns[-1].answer_id is not None:
                turns.append(ShownTurn(""))
            _answer(turns[-1], message)
        if turns:
            turns[-1].folded = folded.get(message.id, turns[-1].folded)
    return turns


def _asked(message: Message) -> ShownTurn:
    labels = tuple(label for label, _ in attached_texts(message.segments))
    about = "" if message.answered else "not answered"
    return ShownTurn(message.spoken, labels, question_id=message.id, about=about)


def _answer(turn: ShownTurn, message: Message) -> None:
    turn.answer, turn.reasoning = message.spoken, message.reasoning
    turn.reasoning_tokens = _reasoned(message)
    turn.answer_id, turn.finish = message.id, message.finish
    turn.about = ENDINGS.get(message.finish, "") if message.finish else ""


def _reasoned(message: Message) -> int | None:
    """Tokens of what was reasoned, None where their ids are not known."""
    ids = [segment.ids for segment in message.segments if segment.reasoning]
    known = [found for found in ids if found is not None]
    return sum(map(len, known)) if known and len(known) == len(ids) else None
