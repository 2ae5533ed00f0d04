"""Which conversation a person means."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from ctxchat.domain.conversation import Conversation
from ctxchat.domain.errors import StoreError, UsageError
from ctxchat.domain.ports import Conversations

_SEE_LIST = "ctxchat sessions list shows them all"


def resolve(conversations: Conversations, reference: str | None) -> Conversation:
    """The conversation of an id, the beginning of one, or a name; None means the one used last.
    Raises UsageError."""
    if reference is not None:
        return conversations.find(reference) or _unknown(conversations, reference)
    latest = conversations.latest()
    if latest is None:
        raise UsageError('there is no conversation yet: begin one with ctxchat ask "…"')
    return latest


@contextmanager
def held(conversations: Conversations, reference: str | None) -> Iterator[Conversation]:
    """The conversation that is meant as it stands, while no other process can change it."""
    meant = resolve(conversations, reference)
    with conversations.hold(meant.id):
        current = conversations.find(meant.id)
        if current is None:
            raise StoreError("the conversation was deleted meanwhile: nothing was changed")
        yield current


def _unknown(conversations: Conversations, reference: str) -> Conversation:
    names = [summary.conversation.name for summary in conversations.listing()]
    holding = [name for name in names if reference.casefold() in name.casefold()]
    near = (holding or get_close_matches(reference, names, cutoff=0.5))[:3]
    hint = "did you mean " + " or ".join(f'"{name}"' for name in near) + "?" if near else _SEE_LIST
    raise UsageError(f'there is no conversation "{reference}": {hint}')
