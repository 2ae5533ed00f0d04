"""Any sequence of turns, compactions, edits, undos, forks, deletions and reopenings, of heads that go
back and come again, and of turns that are left out: every message of a path stands verbatim behind
the last live block, or is covered by exactly one."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from ctxchat.domain.conversation import Change, Omission, Pin, Role, count_turns, new_id
from ctxchat.domain.summary import SummaryBlock, SummaryOrigin
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import answer, question


class SummaryMachine(RuleBasedStateMachine):
    """Beside the record: what each conversation's path is, its stack of lists of blocks, the paths it can
    come back to (and those it came back from), and what is left out of it."""

    conversations = Bundle("conversations")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "data" / "ctxchat.db"
        self.database = Database(self.path)
        self.record = SqliteConversations(self.database)
        self.paths: dict[str, list[str]] = {}
        self.stacks: dict[str, list[list[SummaryBlock]]] = {}
        self.pins: dict[str, list[tuple[str, bool]]] = {}
        self.texts: dict[str, str] = {}
        self.standing: dict[str, list[list[str]]] = {}
        self.left: dict[str, list[list[str]]] = {}
        self.left_out: dict[str, set[str]] = {}

    def live(self, conversation: str) -> list[SummaryBlock]:
        newest = self.stacks[conversation][-1] if self.stacks[conversation] else []
        path = self.paths[conversation]
        kept = [block.last in path for block in newest]
        return newest[: kept.index(False)] if False in kept else list(newest)

    def ends(self, conversation: str) -> list[int]:
        """Places on the path right behind a whole turn that no live block covers."""
        blocks = self.live(conversation)
        begin = self.paths[conversation].index(blocks[-1].last) + 1 if blocks else 0
        messages = self.record.path(conversation)
        return [n for n, m in enumerate(messages, start=1) if n > begin and m.role is Role.ASSISTANT]

    def block(self, conversation: str, begin: int, end: int) -> SummaryBlock:
        covered = self.record.path(conversation)[begin:end]
        return SummaryBlock(
            new_id(),
            covered[0].id,
            covered[-1].id,
            count_turns(covered),
            f"prose \udcff {new_id()}",
            (f"fact {new_id()}", "Zoë\0"),
            ("left",),
        )

    def compact(self, conversation: str, blocks: list[SummaryBlock]) -> None:
        self.record.compact(conversation, blocks)
        self.stacks[conversation].append(blocks)
        self.pins[conversation] = [(text, False) for text, _ in self.pins[conversation]]

    @initialize(target=conversations)
    def first(self) -> str:
        return self.create()

    @rule(target=conversations)
    def create(self) -> str:
        made = self.record.create("a", "", ["pinned"]).id
        self.paths[made], self.stacks[made], self.pins[made] = [], [], [("pinned", False)]
        self.standing[made], self.left[made], self.left_out[made] = [], [], set()
        return made

    @rule(conversation=conversations, back=st.sampled_from([0, 0, 0, 1, 2, 5]), answered=st.booleans())
    def say(self, conversation: str, back: int, answered: bool) -> None:
        """A question behind the head, or behind an earlier answer as an edit is."""
        path = self.paths[conversation]
        if back:
            del path[-back:]
            while path and not self.texts[path[-1]].startswith("a"):
                path.pop()
        asked = question(f"q {new_id()}", path[-1] if path else None)
        messages = [asked, answer(f"a {new_id()}", asked.id)] if answered else [asked]
        for message in messages:
            self.record.append(conversation, message)
            self.texts[message.id] = message.spoken
            path.append(message.id)

    @rule(conversation=conversations, choice=st.integers(0, 99))
    def fold(self, conversation: str, choice: int) -> None:
        """The oldest whole turns become one more block."""
        if ends := self.ends(conversation):
            blocks = self.live(conversation)
            begin = self.paths[conversation].index(blocks[-1].last) + 1 if blocks else 0
            made = self.block(conversation, begin, ends[choice % len(ends)])
            self.compact(conversation, [*blocks, made])

    @rule(conversation=conversations)
    def merge(self, conversation: str) -> None:
        """The two oldest blocks become one."""
        blocks = self.live(conversation)
        if len(blocks) > 1:
            end = self.paths[conversation].index(blocks[1].last) + 1
            self.compact(conversation, [self.block(conversation, 0, end), *blocks[2:]])

    @rule(conversation=conversations)
    def edit(self, conversation: str) -> None:
        if blocks := self.live(conversation):
            edited = replace(blocks[-1], id=new_id(), prose=new_id(), origin=SummaryOrigin.PERSON)
            self.compact(conversation, [*blocks[:-1], edited])

    @rule(conversation=conversations)
    def undo(self, conversation: str) -> None:
        before, stack = self.live(conversation), self.stacks[conversation]
        while stack and self.live(conversation) == before:
            stack.pop()
        assert self.record.undo_compaction(conversation) is (self.live(conversation) != before)

    @rule(conversation=conversations)
    def pin(self, conversation: str) -> None:
        pin = Pin(new_id(), f"pin {new_id()}", pending=True)
        self.record.pin(conversation, pin)
        self.pins[conversation].append((pin.text, True))

    @rule(conversation=conversations, keep=st.integers(0, 9))
    def turn_back(self, conversation: str, keep: int) -> None:
        path = self.paths[conversation]
        self.record.turn_back(conversation, path[:keep][-1] if path[:keep] else None, Change.DELETE)
        self.standing[conversation].append(list(path))
        del path[keep:]

    @rule(conversation=conversations)
    def come_back(self, conversation: str) -> None:
        undone = self.record.undo_change(conversation)
        assert (undone is None) == (not self.standing[conversation])
        if undone is not None:
            self.left[conversation].append(self.paths[conversation])
            self.paths[conversation] = self.standing[conversation].pop()

    @rule(conversation=conversations, place=st.integers(0, 9))
    def leave_out(self, conversation: str, place: int) -> None:
        for message in self.paths[conversation][place : place + 1]:
            self.record.leave_out(conversation, message, Omission.TURN)
            self.left_out[conversation].add(message)

    @rule(conversation=conversations)
    def put_back(self, conversation: str) -> None:
        for message in self.left_out[conversation]:
            self.record.put_back(conversation, message, Omission.TURN)
        self.left_out[conversation] = set()

    @rule(target=conversations, conversation=conversations, keep=st.integers(1, 20))
    def fork(self, conversation: str, keep: int) -> str:
        path = self.paths[conversation]
        made = self.record.fork(conversation, path[:keep][-1] if path else None).id
        self.paths[made] = path[:keep]
        self.standing[made], self.left[made] = [], []
        self.left_out[made] = self.left_out[conversation] & set(path[:keep])
        self.stacks[made] = [list(blocks) for blocks in self.stacks[conversation]]
        self.pins[made] = list(self.pins[conversation])
        return made

    @rule(conversation=consumes(conversations))
    def delete(self, conversation: str) -> None:
        """Messages on no path are forgotten, and all blocks over them."""
        proses = {block.prose for blocks in self.stacks.pop(conversation) for block in blocks}
        self.record.delete(conversation)
        for of in (self.paths, self.pins, self.standing, self.left, self.left_out):
            del of[conversation]  # type: ignore[attr-defined]
        others = [path for of in (self.standing, self.left) for paths in of.values() for path in paths]
        kept = {message for path in (*self.paths.values(), *others) for message in path}
        self.left_out = {id_: messages & kept for id_, messages in self.left_out.items()}
        for stack in self.stacks.values():
            stack[:] = [[block for block in blocks if block.last in kept] for blocks in stack]
        held = {block.prose for stack in self.stacks.values() for blocks in stack for block in blocks}
        self.texts = {id_: text for id_, text in self.texts.items() if id_ in kept}
        stored = b"".join(file.read_bytes() for file in self.path.parent.glob("ctxchat.db*"))
        for prose in proses - held:
            assert prose[-16:].encode() not in stored
        assert self.count("message") == len(self.texts)

    @rule()
    def reopen(self) -> None:
        self.database.close()
        self.database = Database(self.path)
        self.record = SqliteConversations(self.database)

    @invariant()
    def every_message_is_verbatim_or_covered_by_exactly_one_block(self) -> None:
        for conversation in self.paths:
            path = [message.id for message in self.record.path(conversation)]
            blocks = self.record.blocks(conversation)
            spans = [(path.index(block.first), path.index(block.last) + 1) for block in blocks]
            covered = [place for begin, end in spans for place in range(begin, end)]
            assert covered == list(range(len(covered)))
            messages = self.record.path(conversation)
            assert [block.turns for block in blocks] == [count_turns(messages[a:b]) for a, b in spans]

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        for conversation, path in self.paths.items():
            said = [(message.id, message.spoken) for message in self.record.path(conversation)]
            assert said == [(id_, self.texts[id_]) for id_ in path]
            assert list(self.record.blocks(conversation)) == self.live(conversation)
            found = self.record.find(conversation)
            assert found is not None
            assert [(pin.text, pin.pending) for pin in found.pins] == self.pins[conversation]
            assert found.omitted(Omission.TURN) == self.left_out[conversation]

    @invariant()
    def no_row_is_left_over(self) -> None:
        stacks = [blocks for stack in self.stacks.values() for blocks in stack]
        assert self.count("compaction") == len(stacks)
        assert self.count("compaction_block") == sum(map(len, stacks))
        assert self.count("path_change") == sum(
            len(paths) for of in (self.standing, self.left) for paths in of.values()
        )
        assert self.count("left_out") == sum(map(len, self.left_out.values()))
        assert self.count("summary_block") == len({block.id for blocks in stacks for block in blocks})

    def count(self, table: str) -> int:
        with self.database.reading() as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()


TestSummaries = SummaryMachine.TestCase
TestSummaries.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
