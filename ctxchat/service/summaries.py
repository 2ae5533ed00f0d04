"""Summary blocks seen, edited and taken back."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ctxchat.domain.conversation import Conversation, new_id
from ctxchat.domain.errors import UsageError
from ctxchat.domain.ports import Conversations
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


@dataclass(frozen=True)
class SummaryService:
    """Summaries of the conversation that is meant, None meaning the one used last. All raise
    UsageError where there is no such conversation, or nothing in it is summarized."""

    conversations: Conversations

    def shown(self, reference: str | None) -> Summaries:
        return self._of(resolve(self.conversations, reference))

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
