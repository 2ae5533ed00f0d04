"""Texts that a person wants in every prompt of a conversation."""

from dataclasses import dataclass

from ctxchat.domain.conversation import Conversation, Pin, count_turns, new_id
from ctxchat.domain.errors import UsageError
from ctxchat.domain.ports import Conversations
from ctxchat.service.references import held, resolve


@dataclass(frozen=True)
class PinService:
    """Pins of the conversation that is meant, None meaning the one used last. All raise UsageError
    where there is none."""

    conversations: Conversations

    def add(self, reference: str | None, text: str) -> Pin:
        """Pin a text. Where there are turns it rides in the next question, so that nothing before
        it changes."""
        if not text.strip():
            raise UsageError("a pin cannot be empty: give the text to keep")
        with held(self.conversations, reference) as conversation:
            late = count_turns(self.conversations.path(conversation.id)) > 0
            pin = Pin(new_id(), text, pending=late)
            self.conversations.pin(conversation.id, pin)
        return pin

    def listing(self, reference: str | None) -> tuple[Pin, ...]:
        """In the order they were made."""
        return resolve(self.conversations, reference).pins

    def remove(self, reference: str | None, beginning: str) -> Pin:
        """Remove the pin whose id begins like this. Raises UsageError where that is not one."""
        with held(self.conversations, reference) as conversation:
            pin = _meant(conversation, beginning)
            self.conversations.unpin(conversation.id, pin.id)
        return pin


def _meant(conversation: Conversation, beginning: str) -> Pin:
    found = [pin for pin in conversation.pins if beginning and pin.id.startswith(beginning)]
    if not found:
        raise UsageError(
            f'no pin of "{conversation.name}" has an id that begins with "{beginning}": '
            "ctxchat pin list shows them"
        )
    if len(found) > 1:
        ids = ", ".join(pin.id for pin in found)
        raise UsageError(f'"{beginning}" begins the ids of several pins: {ids}')
    return found[0]
