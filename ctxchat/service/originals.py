"""What was attached stays whole on record, in parts that can be recalled."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ctxchat.context.attachments import Attachment, attached_texts, one_line
from ctxchat.domain.conversation import Conversation, Message
from ctxchat.domain.ports import Conversations


def keep_original(conversations: Conversations, message: str, original: Attachment) -> None:
    """Keep a text whole that is sent in part."""
    from ctxchat.context.chunks.chunk import chunks_of

    label = one_line(original.label)
    conversations.keep_attached(message, label, chunks_of(original.text, label))


def keep_originals(conversations: Conversations, messages: Iterable[Message]) -> None:
    """Keep what was attached to messages that are leaving the window. Texts that are kept already stay
    as they are: what was sent of them may be less."""
    for message in messages:
        for label, text in attached_texts(message.segments):
            keep_original(conversations, message.id, Attachment(label, text))


def reclaimed(
    conversations: Conversations,
    conversation: Conversation,
    until: str,
    messages: Sequence[Message],
    *,
    writes: bool = True,
) -> Conversation:
    """The conversation once notes and data of `messages` up to `until` are not sent any more; what was
    attached to them can be recalled from then on. Without `writes` the record stays as it is."""
    if writes:
        keep_originals(conversations, messages[: [m.id for m in messages].index(until) + 1])
        conversations.reclaim(conversation.id, until)
    return replace(conversation, reclaimed=until)
