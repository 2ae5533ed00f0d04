"""Folding the oldest turns of a conversation into summary blocks. Nothing is lost by it: the
messages stay on record, and a compaction can be undone."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from ctxchat.context.budget import Budget
from ctxchat.context.summary import block_of, merged_block
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Message, Role, Section, Segment, new_id, sent
from ctxchat.domain.errors import EngineError, PromptTooLargeError
from ctxchat.domain.events import Compacted, Compacting, Generated, Prefilled
from ctxchat.domain.model import Generation
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.sampling import Sampling
from ctxchat.domain.summary import SummaryBlock
from ctxchat.service.assembly import Assembly, Past

MERGED_SHARE = 0.5
"""What is left of the blocks' room when they are merged: the rest is for those to come."""

WORDS_A_TOKEN = 0.6


@dataclass(frozen=True, slots=True)
class _Written:
    """What the model wrote, None where it could not, and how many tokens it read for it."""

    text: str | None
    evaluated: int


@dataclass(frozen=True, slots=True)
class Compaction:
    """Folds turns of one conversation. `instruction` makes the request for a summary of so many
    words; without `writes` the record stays as it is."""

    assembly: Assembly
    conversation: Conversation
    budget: Budget
    instruction: Callable[[int], str]
    writes: bool

    def fold(
        self, past: Past, turns: int, cancel: Cancel
    ) -> Generator[Compacting | Compacted, None, Past | None]:
        """Fold the oldest `turns`, and return what the conversation then holds; None where it was
        cancelled, and nothing has changed."""
        covered = past.first_turns(turns)
        before = sum(self.assembly.count(message.spoken) for message in sent(covered))
        yield Compacting(turns, before)
        written = self._written(past, covered, cancel)
        if cancel.requested:
            return None
        block = block_of(
            covered,
            turns=turns,
            written=written.text,
            room_tokens=self.budget.block,
            count=self.assembly.count,
            id=new_id(),
        )
        blocks = self._within_share((*past.blocks, block))
        if self.writes:
            self.assembly.conversations.compact(self.conversation.id, blocks)
        after = self.assembly.count(block.text)
        yield Compacted(turns, before, after, block.origin, written.evaluated)
        return Past(blocks, past.messages[len(covered) :])

    def _written(self, past: Past, covered: tuple[Message, ...], cancel: Cancel) -> _Written:
        """Have the model summarize the messages, beside the chat's cells, which it shares: the
        request begins as every prompt of this conversation does."""
        prompt = self.assembly.prompt(
            self.conversation, replace(past, messages=covered), self._request(covered[-1])
        )
        limit = max(1, self.budget.block // 2)
        if prompt.total + limit > self.assembly.window.size:
            return _Written(None, 0)
        return self._generated(prompt, limit, cancel)

    def _generated(self, prompt: Prompt, limit: int, cancel: Cancel) -> _Written:
        model = self.assembly.model
        generation = Generation(
            prompt.ids,
            Sampling(temperature=0.0, repeat_penalty=1.1),
            limit,
            reasoning=model.template.behaviour.reasoning,
            in_reasoning=prompt.opens_reasoning,
            aside=True,
        )
        text, evaluated = None, 0
        try:
            for event in model.generate(generation, cancel):
                if isinstance(event, Prefilled):
                    evaluated = event.total
                elif isinstance(event, Generated):
                    text = event.text
        except (EngineError, PromptTooLargeError):
            text = None
        return _Written(text, evaluated)

    def _request(self, last: Message) -> Message:
        words = max(10, int(self.budget.block * WORDS_A_TOKEN / 2))
        text = self.instruction(words)
        return Message(new_id(), last.id, Role.USER, (Segment(Section.QUESTION, text),), last.at)

    def _within_share(self, blocks: tuple[SummaryBlock, ...]) -> tuple[SummaryBlock, ...]:
        """Blocks are only added to, so that the older ones stay cached, until they pass their
        share: then they become one."""
        if sum(self.assembly.count(block.text) for block in blocks) <= self.budget.blocks:
            return blocks
        room = int(self.budget.blocks * MERGED_SHARE)
        return (merged_block(blocks, room_tokens=room, count=self.assembly.count, id=new_id()),)
