"""Any sequence of what can be done to the record, beside a model of plain dictionaries."""

import tempfile
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from ctxchat.domain.conversation import Message, Role, Segment
from ctxchat.domain.prompt import SegmentKey
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import answer, question

VOCABULARIES = ("one", "two")
texts = st.text(st.characters(exclude_categories=[]), max_size=20)
token_ids = st.lists(st.integers(0, 2**31 - 1), max_size=4).map(tuple)


class RecordMachine(RuleBasedStateMachine):
    conversations = Bundle("conversations")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "data" / "ctxchat.db"
        self.database = Database(self.path)
        self.record = SqliteConversations(self.database)
        self.messages: dict[str, Message] = {}
        self.heads: dict[str, str | None] = {}
        self.names: dict[str, str] = {}
        self.ids: dict[tuple[str, str], tuple[int, ...]] = {}

    def path_of(self, head: str | None) -> list[str]:
        return [*self.path_of(self.messages[head].parent), head] if head else []

    @initialize(target=conversations)
    def first(self) -> str:
        return self.create("first")

    @rule(target=conversations, name=texts)
    def create(self, name: str) -> str:
        made = self.record.create(name, "")
        assert made.name.startswith(name)
        assert made.name not in self.names.values()
        self.names[made.id], self.heads[made.id] = made.name, None
        return made.id

    @rule(conversation=conversations, text=texts, ids=token_ids, back=st.integers(0, 2), mark=st.uuids())
    def append(self, conversation: str, text: str, ids: tuple[int, ...], back: int, mark: UUID) -> None:
        """Behind the head, or behind an earlier message as another answer or an edit is."""
        path = self.path_of(self.heads[conversation])
        parent = path[-1 - back] if len(path) > back else None
        asks = parent is None or self.messages[parent].role is Role.ASSISTANT
        message = (question if asks else answer)(f"{text} {mark.hex}", parent, ids)
        self.record.append(conversation, message, "one")
        if parent is not None and not asks:
            self.messages[parent] = replace(self.messages[parent], answered=True)
        self.messages[message.id] = replace(
            message, segments=(Segment(message.segments[0].section, message.spoken),)
        )
        self.ids[message.id, "one"] = ids
        self.heads[conversation] = message.id

    @rule(conversation=conversations, vocabulary=st.sampled_from(VOCABULARIES), ids=token_ids)
    def keep_ids(self, conversation: str, vocabulary: str, ids: tuple[int, ...]) -> None:
        for message in self.path_of(self.heads[conversation]):
            self.record.keep_ids(vocabulary, {SegmentKey(message, 0): ids})
            self.ids.setdefault((message, vocabulary), ids)

    @rule(target=conversations, conversation=conversations)
    def fork(self, conversation: str) -> str:
        made = self.record.fork(conversation)
        self.names[made.id], self.heads[made.id] = made.name, self.heads[conversation]
        return made.id

    @rule(conversation=conversations, name=texts)
    def rename(self, conversation: str, name: str) -> None:
        if name not in self.names.values():
            self.record.rename(conversation, name)
            self.names[conversation] = name

    @rule(conversation=consumes(conversations))
    def delete(self, conversation: str) -> None:
        self.record.delete(conversation)
        del self.heads[conversation], self.names[conversation]
        kept = {message for head in self.heads.values() for message in self.path_of(head)}
        forgotten = [self.messages.pop(id_) for id_ in list(self.messages) if id_ not in kept]
        stored = b"".join(file.read_bytes() for file in self.path.parent.glob("ctxchat.db*"))
        for message in forgotten:
            assert message.spoken[-32:].encode() not in stored
        self.ids = {key: ids for key, ids in self.ids.items() if key[0] in kept}
        self.no_row_is_left_over()

    @rule()
    def reopen(self) -> None:
        self.database.close()
        self.database = Database(self.path)
        self.record = SqliteConversations(self.database)

    @invariant()
    def every_path_is_that_of_the_model(self) -> None:
        for conversation, head in self.heads.items():
            for vocabulary in (*VOCABULARIES, None):
                expected = tuple(self.expected(id_, vocabulary) for id_ in self.path_of(head))
                assert self.record.path(conversation, vocabulary) == expected

    def expected(self, id_: str, vocabulary: str | None) -> Message:
        ids = self.ids.get((id_, vocabulary)) if vocabulary else None
        message = self.messages[id_]
        return replace(message, segments=(replace(message.segments[0], ids=ids),))

    @invariant()
    def the_listing_is_that_of_the_model(self) -> None:
        listing = self.record.listing()
        assert {s.conversation.id: s.conversation.name for s in listing} == self.names
        for summary in listing:
            path = [self.messages[m] for m in self.path_of(self.heads[summary.conversation.id])]
            assert summary.turns == sum(m.role is Role.USER and m.answered for m in path)

    def no_row_is_left_over(self) -> None:
        with self.database.reading() as connection:
            counted = {
                table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("message", "segment", "passage", "passage_fts", "segment_ids", "conversation")
            }
            connection.execute("INSERT INTO passage_fts (passage_fts, rank) VALUES ('integrity-check', 1)")
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = len(self.messages)
        assert counted == {
            "message": rows,
            "segment": rows,
            "passage": rows,
            "passage_fts": rows,
            "segment_ids": len(self.ids),
            "conversation": len(self.heads),
        }

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()


TestRecord = RecordMachine.TestCase
TestRecord.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
