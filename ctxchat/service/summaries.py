"""Summary blocks seen, edited and taken back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ctxchat.domain.conversation import Conversation, Message, Omission, new_id, sent
from ctxchat.domain.errors import UsageError
from ctxchat.domain.path_turns import messages_of_turns
from ctxchat.domain.ports import Conversations, Vocabulary
from ctxchat.domain.summary import SummaryBlock, SummaryOrigin
from ctxchat.service.references import held, resolve


@dataclass(frozen=True, slots=True)
class Summaries:
    """A conversation with its live blocks, oldest first."""

    conversation: Conversation
    blocks: tuple[SummaryBlock, ...]

    @property
    def turns(self) -> int:
        """Turns that are not sent word for word."""
        return sum(block.turns for block in self.blocks)


@dataclass(frozen=True, slots=True)
class SummarySize:
    """Tokens of what a block stands for, as it was said, and of the block."""

    before: int
    after: int
    exact: bool


@dataclass(frozen=True)
class SummaryService:
    """Summaries of the conversation that is meant, None meaning the one used last. All raise
    UsageError where there is no such conversation, or nothing in it is summarized."""

    conversations: Conversations

    def shown(self, reference: str | None) -> Summaries:
        return self._of(resolve(self.conversations, reference))

    def sizes(self, summaries: Summaries, vocabulary: Vocabulary) -> tuple[SummarySize, ...]:
        """Of each block, what was attached and what a person left out not counted."""

        def count(text: str) -> int:
            return len(vocabulary.tokenize(text, special=False, after=None))

        conversation = summaries.conversation
        path = self.conversations.path(conversation.id)
        left_out = messages_of_turns(path, conversation.omitted(Omission.TURN))
        return tuple(
            SummarySize(
                sum(count(m.spoken) for m in sent(_covered(block, path)) if m.id not in left_out),
                count(block.text),
                vocabulary.exact,
            )
            for block in summaries.blocks
        )

    def edit(self, reference: str | None, edited: Callable[[str], str]) -> SummaryBlock | None:
        """Put what `edited` makes of the last block's prose in its place; None where that is the
        same. Its facts stay. The conversation is held until the person has finished."""
        with held(self.conversations, reference) as conversation:
            *before, last = self._of(conversation).blocks
            prose = edited(last.prose).strip()
            if not prose:
                raise UsageError("an empty summary says nothing: it was left as it is")
            if prose == last.prose.strip():
                return None
            block = replace(last, id=new_id(), prose=prose, origin=SummaryOrigin.PERSON)
            self.conversations.compact(conversation.id, [*before, block])
        return block

    def undo(self, reference: str | None) -> tuple[Summaries, Summaries]:
        """Take the last compaction, or the last edit, back: what was live before and what is now."""
        with held(self.conversations, reference) as conversation:
            before = self._of(conversation)
            self.conversations.undo_compaction(conversation.id)
            after = Summaries(conversation, self.conversations.blocks(conversation.id))
        return before, after

    def _of(self, conversation: Conversation) -> Summaries:
        blocks = self.conversations.blocks(conversation.id)
        if not blocks:
            raise UsageError(
                f'nothing is summarized in "{conversation.name}": all of it is sent word for word'
            )
        return Summaries(conversation, blocks)


def _covered(block: SummaryBlock, path: Sequence[Message]) -> Sequence[Message]:
    ids = [message.id for message in path]
    if block.first not in ids or block.last not in ids:
        return ()
    return path[ids.index(block.first) : ids.index(block.last) + 1]
