"""What the front ends do with conversations that are not being answered."""

from dataclasses import replace

from ctxchat.domain.conversation import Conversation, ConversationSummary, SearchHit
from ctxchat.domain.errors import UsageError
from ctxchat.domain.kv import Snapshots
from ctxchat.domain.path_turns import turn_around
from ctxchat.domain.ports import Conversations
from ctxchat.service.imports import read_messages
from ctxchat.service.names import checked_name, first_words
from ctxchat.service.references import resolve
from ctxchat.service.transcripts import Transcript
from ctxchat.service.turns import place_of


class ConversationService:
    """Conversations by whatever a person calls them: an id, the beginning of one, or a name."""

    def __init__(self, conversations: Conversations, snapshots: Snapshots, system: str) -> None:
        """`system` is the system text of conversations that are imported."""
        self._conversations = conversations
        self._snapshots = snapshots
        self._system = system

    def listing(self) -> list[ConversationSummary]:
        """All of them, last used first."""
        sizes = self._snapshots.sizes()
        return [
            replace(summary, snapshot_bytes=sizes.get(summary.conversation.id, 0))
            for summary in self._conversations.listing()
        ]

    def resolve(self, reference: str | None) -> Conversation:
        """The conversation that is meant, None meaning the one used last. Raises UsageError."""
        return resolve(self._conversations, reference)

    def transcript(self, reference: str | None, vocabulary: str | None = None) -> Transcript:
        """The conversation with its messages, and the ids they have under a vocabulary."""
        conversation = self.resolve(reference)
        return Transcript(conversation, self._conversations.path(conversation.id, vocabulary))

    def search(self, query: str, limit: int) -> list[SearchHit]:
        """Messages that hold the words, best first. Raises UsageError where there are no words."""
        if not query.strip():
            raise UsageError("there is nothing to search for: give a word")
        return self._conversations.search(query, limit)

    def rename(self, reference: str, name: str) -> None:
        conversation = self.resolve(reference)
        self._conversations.rename(conversation.id, checked_name(name))

    def fork(self, reference: str | None, at: str | None = None) -> Conversation:
        """A new conversation with the same messages, up to the turn of the message `at`, which goes its own
        way from there. Raises UsageError where there is no such message."""
        source = self.resolve(reference)
        fork = self._conversations.fork(source.id, None if at is None else self._end(source, at))
        self._snapshots.share(source.id, fork.id)
        return fork

    def _end(self, conversation: Conversation, message: str) -> str:
        path = self._conversations.path(conversation.id)
        _, end = turn_around(path, place_of(conversation, path, message))
        return path[end - 1].id

    def adopt(self, source: bytes, name: str | None) -> Transcript:
        """A new conversation from JSON lines, named by its first words where `name` is None.
        Raises UsageError naming the bad line, and then nothing is kept."""
        messages = read_messages(source)
        chosen = first_words(messages[0].spoken) if name is None else checked_name(name)
        return Transcript(self._conversations.adopt(chosen, self._system, messages), messages)

    def delete(self, conversation: Conversation) -> None:
        """Remove it and all that only it holds, once nobody is answering in it."""
        with self._conversations.hold(conversation.id):
            self._snapshots.release(conversation.id)
            self._conversations.delete(conversation.id)
