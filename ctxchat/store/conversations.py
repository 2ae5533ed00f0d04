"""The record of conversations in SQLite."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from ctxchat.domain.conversation import (
    Change,
    Conversation,
    ConversationSummary,
    Message,
    Omission,
    Pin,
    Role,
    SearchHit,
    new_id,
)
from ctxchat.domain.errors import ConversationBusyError, StoreError, UsageError
from ctxchat.domain.passage import Chunk
from ctxchat.domain.prompt import SegmentKey
from ctxchat.domain.summary import SummaryBlock
from ctxchat.store import path_changes
from ctxchat.store.conversation_rows import (
    change_conversation,
    conversation_by_id,
    create_conversation,
    gone,
    is_message,
    select_conversations,
)
from ctxchat.store.database import Database
from ctxchat.store.failures import told_plainly
from ctxchat.store.locks import HeldError, locked
from ctxchat.store.message_passages import write_attached, write_turns
from ctxchat.store.postings import rewrite_index
from ctxchat.store.rows import (
    as_text,
    now,
    read_conversation,
    read_messages,
    write_ids,
    write_messages,
    write_pin,
    write_segments,
)
from ctxchat.store.summaries import (
    copy_compactions,
    delete_unheld_blocks,
    live_blocks,
    pop_compaction,
    push_compaction,
)
from ctxchat.store.tree import DELETE_UNHELD, LISTING, PATH

_BEGINNING = 4  # letters of an id that are enough to name it


class SqliteConversations:
    """Implements `domain.ports.Conversations`. `hold` waits `wait` seconds for another process."""

    def __init__(self, database: Database, wait: float = 5.0) -> None:
        self._database = database
        self._wait = wait

    def create(self, name: str, system: str, pins: Sequence[str] = ()) -> Conversation:
        with self._database.writing() as connection:
            id_ = create_conversation(connection, name, system, head=None)
            for text in pins:
                write_pin(connection, id_, Pin(new_id(), text))
            return conversation_by_id(connection, id_)

    def adopt(self, name: str, system: str, messages: Sequence[Message]) -> Conversation:
        with self._database.writing() as connection:
            write_messages(connection, messages)
            write_turns(connection, messages)
            return conversation_by_id(
                connection, create_conversation(connection, name, system, messages[-1].id)
            )

    def find(self, reference: str) -> Conversation | None:
        with self._database.reading() as connection:
            for condition in ("id = CAST(? AS TEXT)", "name = CAST(? AS TEXT)"):
                if found := select_conversations(connection, f"WHERE {condition}", as_text(reference)):
                    return found[0]
            if len(reference) < _BEGINNING:
                return None
            found = select_conversations(
                connection, "WHERE substr(id, 1, ?) = CAST(? AS TEXT)", len(reference), as_text(reference)
            )
        if len(found) > 1:
            meant = ", ".join(f"{c.id} ({c.name})" for c in found)
            raise UsageError(f'"{reference}" begins the ids of several conversations: {meant}')
        return found[0] if found else None

    def latest(self) -> Conversation | None:
        with self._database.reading() as connection:
            found = select_conversations(connection, "ORDER BY updated DESC, serial DESC LIMIT 1")
            return found[0] if found else None

    def path(self, conversation: str, vocabulary: str | None = None) -> tuple[Message, ...]:
        with self._database.reading() as connection:
            return read_messages(
                connection.execute(PATH, {"conversation": conversation, "vocabulary": vocabulary})
            )

    def append(
        self,
        conversation: str,
        message: Message,
        vocabulary: str | None = None,
        change: Change | None = None,
    ) -> None:
        with self._database.writing() as connection:
            if message.parent is not None and not is_message(connection, message.parent):
                raise StoreError("the message before this one was deleted meanwhile: nothing was recorded")
            write_messages(connection, [message])
            write_turns(connection, [message])
            if vocabulary is not None:
                write_ids(connection, vocabulary, _known_ids(message))
            if message.role is Role.ASSISTANT:
                connection.execute("UPDATE message SET answered = 1 WHERE id = ?", (message.parent,))
            if change is not None:
                path_changes.keep_standing(connection, conversation, change)
            move = "UPDATE conversation SET head = ?, updated = ? WHERE id = ?"
            change_conversation(connection, move, message.id, now(), conversation)

    def turn_back(self, conversation: str, head: str | None, change: Change) -> None:
        with self._database.writing() as connection:
            conversation_by_id(connection, conversation)
            path_changes.turn_back(connection, conversation, head, change)

    def last_change(self, conversation: str) -> Change | None:
        with self._database.reading() as connection:
            return path_changes.last_change(connection, conversation)

    def undo_change(self, conversation: str) -> Change | None:
        with self._database.writing() as connection:
            return path_changes.undo_change(connection, conversation)

    def leave_out(self, conversation: str, message: str, what: Omission) -> None:
        with self._database.writing() as connection:
            path_changes.path_until(connection, conversation, message)
            path_changes.leave_out(connection, conversation, message, what)

    def put_back(self, conversation: str, message: str, what: Omission) -> None:
        with self._database.writing() as connection:
            path_changes.put_back(connection, conversation, message, what)

    def restate(self, question: Message) -> None:
        """The ids of its segments are made anew: they may stand behind others now."""
        with self._database.writing() as connection:
            waiting = "SELECT 1 FROM message WHERE id = ? AND NOT answered"
            if not connection.execute(waiting, (question.id,)).fetchone():
                raise StoreError("the question was deleted or answered meanwhile: nothing was recorded")
            connection.execute("DELETE FROM segment WHERE message = ?", (question.id,))
            write_segments(connection, [question])

    def keep_attached(self, message: str, label: str, chunks: Sequence[Chunk]) -> None:
        with self._database.writing() as connection:
            if not is_message(connection, message):
                raise StoreError(
                    "the question was deleted meanwhile: what was attached to it was not recorded"
                )
            write_attached(connection, message, label, chunks)

    def reclaim(self, conversation: str, message: str) -> None:
        with self._database.writing() as connection:
            if not is_message(connection, message):
                raise gone()
            change = "UPDATE conversation SET reclaimed = ? WHERE id = ?"
            change_conversation(connection, change, message, conversation)

    def keep_ids(self, vocabulary: str, ids: Mapping[SegmentKey, tuple[int, ...]]) -> None:
        """Ids that are there already stay: they may have been decoded."""
        if not ids:
            return
        with self._database.writing() as connection:
            write_ids(connection, vocabulary, ids)

    def pin(self, conversation: str, pin: Pin) -> None:
        with self._database.writing() as connection:
            conversation_by_id(connection, conversation)
            write_pin(connection, conversation, pin)

    def unpin(self, conversation: str, pin: str) -> None:
        with self._database.writing() as connection:
            remove = "DELETE FROM pin WHERE conversation = ? AND id = CAST(? AS TEXT)"
            if not connection.execute(remove, (conversation, as_text(pin))).rowcount:
                raise UsageError(f'there is no pin "{pin}" in this conversation')

    def blocks(self, conversation: str) -> tuple[SummaryBlock, ...]:
        with self._database.reading() as connection:
            return live_blocks(connection, conversation)

    def compact(self, conversation: str, blocks: Sequence[SummaryBlock]) -> None:
        """AssertionError where the blocks do not cover the path from its root on, without a gap."""
        with self._database.writing() as connection:
            conversation_by_id(connection, conversation)
            push_compaction(connection, conversation, blocks)

    def undo_compaction(self, conversation: str) -> bool:
        """Compactions that an edit left without effect are taken back with the one before them."""
        with self._database.writing() as connection:
            return pop_compaction(connection, conversation)

    def set_system(self, conversation: str, system: str) -> None:
        with self._database.writing() as connection:
            change = "UPDATE conversation SET system = CAST(? AS TEXT) WHERE id = ?"
            change_conversation(connection, change, as_text(system), conversation)

    def fork(self, conversation: str, head: str | None = None) -> Conversation:
        with self._database.writing() as connection:
            original = conversation_by_id(connection, conversation)
            kept = path_changes.path_until(connection, conversation, head or original.head)
            mark = path_changes.reclaimed_within(connection, conversation, original.reclaimed, kept)
            id_ = create_conversation(
                connection, original.name, original.system, kept[-1] if kept else None, mark
            )
            for pin in original.pins:
                write_pin(connection, id_, replace(pin, id=new_id()))
            copy_compactions(connection, conversation, id_)
            path_changes.copy_left_out(connection, conversation, id_, kept)
            return conversation_by_id(connection, id_)

    def listing(self) -> list[ConversationSummary]:
        with self._database.reading() as connection:
            return [
                ConversationSummary(read_conversation(connection, row[:-2]), *row[-2:])
                for row in connection.execute(LISTING)
            ]

    def search(self, query: str, limit: int) -> list[SearchHit]:
        from ctxchat.store.search import find_messages

        with self._database.reading() as connection:
            return find_messages(connection, query, limit)

    def rename(self, conversation: str, name: str) -> None:
        with self._database.writing() as connection:
            if select_conversations(
                connection, "WHERE name = CAST(? AS TEXT) AND id <> ?", as_text(name), conversation
            ):
                raise UsageError(f'a conversation is called "{name}" already: choose another name')
            change = "UPDATE conversation SET name = CAST(? AS TEXT) WHERE id = ?"
            change_conversation(connection, change, as_text(name), conversation)

    def delete(self, conversation: str) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM conversation WHERE id = ?", (conversation,))
            connection.execute(DELETE_UNHELD)
            delete_unheld_blocks(connection)
            rewrite_index(connection)
        self._database.empty_log()

    @contextmanager
    def hold(self, conversation: str) -> Iterator[None]:
        lock = self._database.locks / conversation
        with ExitStack() as held:
            try:
                with told_plainly(lock):
                    held.enter_context(locked(lock, self._wait))
            except HeldError as holder:
                raise ConversationBusyError(
                    f"the conversation is in use by {holder}: try again when it has finished"
                ) from None
            yield


def _known_ids(message: Message) -> dict[SegmentKey, tuple[int, ...]]:
    return {
        SegmentKey(message.id, index): segment.ids
        for index, segment in enumerate(message.segments)
        if segment.ids is not None
    }
