"""Forgetting a note reaches what it was made into in a conversation."""

from dataclasses import replace
from pathlib import Path

from ctxchat.domain.conversation import Section, Segment
from ctxchat.domain.passage import Chunk, Document
from ctxchat.domain.summary import SummaryBlock
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.store.note_store import SqliteNotes
from tests.support.messages import question, say
from tests.support.word_embedder import WordEmbedder

TEXT = "the password is hunter2"


def test_a_forgotten_note_leaves_messages_and_summaries_also_those_of_undone_states(
    database: Database, conversations: SqliteConversations, path: Path
) -> None:
    cells: list[str] = []
    notes = SqliteNotes(database, WordEmbedder, forget_cells=cells.append)
    notes.put("memory", [Document("m", "1", (Chunk(1, 1, TEXT),))])
    note = notes.listing()[0]
    id_ = conversations.create("talk", "").id
    asked = question("What is it?")
    asked = replace(asked, segments=(Segment(Section.NOTES, TEXT, passage=note.id), *asked.segments))
    conversations.append(id_, asked)
    say(conversations, id_, "more", "answer")
    last = conversations.path(id_)[-1].id
    for prose in (f"They said: {TEXT}.", "Nothing of it."):
        facts = ("hunter2", "Prague", f"note: {TEXT}")
        conversations.compact(id_, [SummaryBlock(prose, asked.id, last, 2, f"{prose}\nkept", facts)])
    notes.forget(note.id)
    assert cells == [id_]
    block = conversations.blocks(id_)[0]
    assert (block.prose, block.facts) == ("Nothing of it.\nkept", ("Prague",))
    assert conversations.undo_compaction(id_)
    assert conversations.blocks(id_)[0].prose == "[forgotten]\nkept"
    assert [s.text for s in conversations.path(id_)[0].segments] == ["[forgotten]", "What is it?"]
    database.empty_log()
    files = [file for file in path.parent.rglob("*") if file.is_file()]
    assert [file for file in files if b"hunter2" in file.read_bytes()] == []
