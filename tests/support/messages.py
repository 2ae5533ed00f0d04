"""Messages as a turn records them."""

from datetime import UTC, datetime

from ctxchat.domain.conversation import Finish, Message, Role, Section, Segment, new_id
from ctxchat.domain.ports import Conversations


def question(text: str, parent: str | None = None, ids: tuple[int, ...] | None = None) -> Message:
    segments = (Segment(Section.QUESTION, text, ids),)
    return Message(new_id(), parent, Role.USER, segments, datetime.now(UTC), answered=False)


def answer(text: str, parent: str | None, ids: tuple[int, ...] | None = None) -> Message:
    segments = (Segment(Section.HISTORY, text, ids),)
    return Message(new_id(), parent, Role.ASSISTANT, segments, datetime.now(UTC), finish=Finish.STOP)


def say(conversations: Conversations, conversation: str, *texts: str) -> list[str]:
    """Append questions and answers in turn behind the head, and give their ids."""
    path = conversations.path(conversation)
    parent = path[-1].id if path else None
    said = []
    for number, text in enumerate(texts):
        message = answer(text, parent) if number % 2 else question(text, parent)
        conversations.append(conversation, message)
        parent = message.id
        said.append(parent)
    return said


def texts_of(conversations: Conversations, conversation: str) -> list[str]:
    return [message.spoken for message in conversations.path(conversation)]
