"""What was attached stays whole on record, in parts that can be recalled."""

from collections.abc import Iterable

from ctxchat.context.attachments import Attachment, attached_texts
from ctxchat.domain.conversation import Message
from ctxchat.domain.ports import Conversations


def keep_original(conversations: Conversations, message: str, original: Attachment) -> None:
    """Keep a text whole that is sent in part."""
    from ctxchat.context.chunks.chunk import chunks_of

    conversations.keep_attached(message, original.label, chunks_of(original.text, original.label))


def keep_originals(conversations: Conversations, messages: Iterable[Message]) -> None:
    """Keep what was attached to messages that are leaving the window. Texts that are kept already stay
    as they are: what was sent of them may be less."""
    for message in messages:
        for label, text in attached_texts(message.segments):
            keep_original(conversations, message.id, Attachment(label, text))
