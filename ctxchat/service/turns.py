"""Turns of a conversation taken back, edited, and brought back again. Nothing leaves the tree."""

from collections.abc import Sequence
from dataclasses import dataclass

from ctxchat.context.attachments import Attachment, attached_texts
from ctxchat.domain.conversation import Change, Conversation, Message
from ctxchat.domain.errors import UsageError
from ctxchat.domain.path_turns import turn_around
from ctxchat.domain.ports import Conversations
from ctxchat.service.references import held, resolve

_BEGINNING = 4  # letters of an id that are enough to name a message


@dataclass(frozen=True, slots=True)
class Composed:
    """What was asked in the first of `turns` turns that were taken off the path: its words, and the texts
    that came with it as they were sent."""

    text: str
    attachments: tuple[Attachment, ...]
    turns: int


@dataclass(frozen=True, slots=True)
class Undone:
    """The change that was taken back."""

    change: Change


@dataclass(frozen=True)
class TurnService:
    """Turns of the conversation that is meant, None meaning the one used last. A message means the turn it
    is of, None the last one. All raise UsageError where there is none."""

    conversations: Conversations

    def edit(self, reference: str | None, message: str | None = None) -> Composed:
        """Go back to before a question, which is to be asked in other words."""
        return self._turn_back(reference, message, Change.EDIT)

    def delete(self, reference: str | None, message: str | None = None) -> Composed:
        """Take a turn and all behind it off the path."""
        return self._turn_back(reference, message, Change.DELETE)

    def undo(self, reference: str | None) -> Undone:
        """Take back the last answer that took the place of another, the last edit or the last deletion. What
        was said since leaves the path with it."""
        with held(self.conversations, reference) as conversation:
            change = self.conversations.undo_change(conversation.id)
        if change is None:
            raise UsageError(f'there is nothing to undo in "{conversation.name}"')
        return Undone(change)

    def can_undo(self, reference: str | None) -> Change | None:
        """What `undo` would take back."""
        return self.conversations.last_change(resolve(self.conversations, reference).id)

    def _turn_back(self, reference: str | None, message: str | None, change: Change) -> Composed:
        with held(self.conversations, reference) as conversation:
            path = self.conversations.path(conversation.id)
            place = place_of(conversation, path, message)
            begin, _ = turn_around(path, place)
            head = path[begin - 1].id if begin else None
            self.conversations.turn_back(conversation.id, head, change)
        return Composed(
            path[begin].spoken,
            tuple(Attachment(label, text) for label, text in attached_texts(path[begin].segments)),
            sum(turn_around(path, at)[0] == at for at in range(begin, len(path))),
        )


def place_of(conversation: Conversation, path: Sequence[Message], message: str | None) -> int:
    """Where a message stands on a path, by its id or a beginning of it; the last one for None. Raises
    UsageError."""
    if not path:
        raise UsageError(f'nothing was said in "{conversation.name}" yet')
    if message is None:
        return len(path) - 1
    found = [at for at, m in enumerate(path) if message in (m.id, m.shown_id)]
    if not found and len(message) >= _BEGINNING:
        found = [at for at, m in enumerate(path) if m.id.startswith(message)]
    if len(found) != 1:
        many = "begins the ids of several messages" if found else "is no message"
        raise UsageError(f'"{message}" {many} of "{conversation.name}": ctxchat sessions show --json has ids')
    return found[0]
