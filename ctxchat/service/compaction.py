"""Folding the oldest turns of a conversation into summary blocks. Nothing is lost by it: the
messages stay on record, and a compaction can be undone."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

from ctxchat.context.summary import block_of, merged_block
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Message, Role, Section, Segment, count_turns, new_id
from ctxchat.domain.errors import EngineError, PromptTooLargeError
from ctxchat.domain.events import Compacted, Compacting, Generated, Prefilled, Usage
from ctxchat.domain.model import Generation
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.sampling import Sampling
from ctxchat.domain.summary import SummaryBlock
from ctxchat.service.assembly import Assembly, Past
from ctxchat.service.originals import keep_originals

MERGED_SHARE = 0.5
"""What is left of the blocks' room when they are merged: the rest is for those to come."""

WORDS_A_TOKEN = 0.6


@dataclass(frozen=True, slots=True)
class Requests:
    """How the model is asked: for a summary of what stands before, of so many words at most, that keeps
    above all what a person named (empty for nothing); and for one of several summaries."""

    summary: Callable[[int, str], str]
    merger: Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class _Written:
    """What the model wrote, None where it could not, and how many tokens it read for it."""

    text: str | None
    evaluated: int


@dataclass(frozen=True, slots=True)
class Compaction:
    """Folds turns of one conversation; without `writes` the record stays as it is. `focus` are a person's
    words for what is to be kept above all. `asked` is what a server says of each summary it wrote."""

    assembly: Assembly
    conversation: Conversation
    requests: Requests
    writes: bool
    focus: str = ""
    asked: list[Usage | None] = field(default_factory=list)

    def fold(
        self, past: Past, turns: int, cancel: Cancel
    ) -> Generator[Compacting | Compacted, None, Past | None]:
        """Fold the oldest `turns`, and return what the conversation then holds; None where it was
        cancelled, and nothing has changed."""
        covered = past.first_turns(turns)
        before = sum(self.assembly.count(message.spoken) for message in past.sent_of(covered))
        yield Compacting(turns, before)
        written = self._written(past, covered, cancel)
        if written is None:
            return None
        block = self._block(past, covered, written.text)
        blocks = (*past.blocks, block)
        if self._pass_their_share(blocks):
            joint = self._joint(blocks, covered[-1], cancel)
            if joint is None:
                return None
            room = int(self.assembly.budget.blocks * MERGED_SHARE)
            blocks = (merged_block(blocks, room, self.assembly.count, new_id(), joint.text),)
            written = replace(written, evaluated=written.evaluated + joint.evaluated)
        if self.writes:
            keep_originals(self.assembly.conversations, covered)
            self.assembly.conversations.compact(self.conversation.id, blocks)
        after = self.assembly.count(block.text)
        yield Compacted(turns, before, after, block.origin, written.evaluated)
        past = Past(blocks, past.messages[len(covered) :], past.left_out)
        if self.writes:
            self._let_go(past)
        return past

    def _block(self, past: Past, covered: tuple[Message, ...], written: str | None) -> SummaryBlock:
        """A block that stands for all of the covered messages, and says nothing of what a person left out."""
        block = block_of(
            [message for message in covered if message.id not in past.left_out],
            turns=count_turns(covered),
            written=written,
            room_tokens=self.assembly.budget.block,
            count=self.assembly.count,
            id=new_id(),
        )
        return replace(block, first=covered[0].id, last=covered[-1].id)

    def read_for(self, past: Past, turns: int) -> Prompt:
        """What is read before a summary of the oldest `turns` is asked for: no more of the history, which
        may be larger than the window."""
        covered = replace(past, messages=past.first_turns(turns))
        return self.assembly.prompt(self.conversation, covered, None)

    def _written(self, past: Past, covered: tuple[Message, ...], cancel: Cancel) -> _Written | None:
        """Have the model summarize the messages, beside the chat's cells, which it shares: the
        request begins as every prompt of this conversation does. None where it was cancelled."""
        limit = max(1, self.assembly.budget.block // 2)
        request = _asked(self.requests.summary(_words(limit), self.focus), covered[-1])
        return self._generated(replace(past, messages=covered), request, limit, cancel)

    def _joint(self, blocks: tuple[SummaryBlock, ...], last: Message, cancel: Cancel) -> _Written | None:
        """Have the model write one summary of several. None where it was cancelled."""
        limit = max(1, int(self.assembly.budget.blocks * MERGED_SHARE) // 2)
        prose = "\n\n".join(block.prose for block in blocks)
        return self._generated(
            Past(), _asked(self.requests.merger(prose, _words(limit)), last), limit, cancel
        )

    def _generated(self, past: Past, request: Message, limit: int, cancel: Cancel) -> _Written | None:
        model = self.assembly.model
        prompt = self.assembly.prompt(self.conversation, past, request)
        if prompt.total + limit > self.assembly.window.size:
            return _Written(None, 0)
        self._make_room(prompt, limit)
        generation = Generation(
            prompt.ids,
            Sampling(temperature=0.0, repeat_penalty=1.1),
            limit,
            reasoning=model.template.behaviour.reasoning,
            in_reasoning=prompt.opens_reasoning,
            reasoning_budget=0,
            aside=True,
            messages=prompt.messages,
        )
        text, evaluated, usage = None, 0, None
        try:
            for event in model.generate(generation, cancel):
                if isinstance(event, Prefilled):
                    evaluated = event.total
                elif isinstance(event, Generated):
                    text, usage = event.text, event.usage
        except (EngineError, PromptTooLargeError) as error:
            if model.cache is None and isinstance(error, EngineError):
                raise  # A server that is away comes back: a summary made without it would stay.
            text = None
        self.asked.append(usage)
        return None if cancel.requested else _Written(text, evaluated)

    def _make_room(self, prompt: Prompt, limit: int) -> None:
        """Have the chat hold the conversation, and give up its cells behind what the request begins with
        where that has no room beside them: once turns are folded they are read again in any case."""
        cache = self.assembly.model.cache
        if cache is None:
            return
        cache.go_back_to(prompt.ids)
        if not self.assembly.model.facts.trims:
            return
        shared = cache.plan(prompt.ids, limit).reused
        if cache.cells() + prompt.total - shared + limit > self.assembly.window.size:
            cache.trim(0, shared)

    def _let_go(self, past: Past) -> None:
        """Give up the chat's cells behind what is still sent: they would be kept as the branch left last, in
        the place of one that is gone back to."""
        cache = self.assembly.model.cache
        if cache is not None:
            ids = self.assembly.prompt(self.conversation, past, None).ids
            cache.go_back_to(ids)
            cache.trim(0, cache.plan(ids, 0).reused)

    def _pass_their_share(self, blocks: tuple[SummaryBlock, ...]) -> bool:
        """Blocks are only added to, so that the older ones stay cached, until they take too much."""
        return (
            len(blocks) > 1 and sum(self.assembly.count(b.text) for b in blocks) > self.assembly.budget.blocks
        )


def _asked(text: str, after: Message) -> Message:
    """A question of the program itself, which is never recorded."""
    return Message(new_id(), after.id, Role.USER, (Segment(Section.QUESTION, text),), after.at)


def _words(tokens: int) -> int:
    return max(10, int(tokens * WORDS_A_TOKEN))
