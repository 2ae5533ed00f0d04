"""Prompts of a conversation, for a model that is loaded and a window that is chosen."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from ctxchat.context.assemble import PromptContent, Wording, assemble
from ctxchat.context.budget import Budget
from ctxchat.domain.conversation import Conversation, Message, Omission, Role, sent
from ctxchat.domain.path_turns import messages_of_turns
from ctxchat.domain.ports import Conversations, Model
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.summary import SummaryBlock
from ctxchat.domain.window import Window
from ctxchat.service.policy import WindowPolicy


@dataclass(frozen=True, slots=True)
class Past:
    """What was said: `blocks` for the oldest messages, and the `messages` behind them, those
    without an answer included, and those of turns that a person left out, `left_out` by their ids."""

    blocks: tuple[SummaryBlock, ...] = ()
    messages: tuple[Message, ...] = ()
    left_out: frozenset[str] = frozenset()

    def sent_of(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Those that are sent."""
        return tuple(m for m in sent(messages) if m.id not in self.left_out)

    def first_turns(self, count: int) -> tuple[Message, ...]:
        """The messages of the oldest `count` turns that are sent, and what stands before them or is left
        out behind them."""
        turns = 0
        for index, message in enumerate(self.messages):
            if message.role is Role.USER and message.answered and message.id not in self.left_out:
                turns += 1
            if turns > count:
                return self.messages[:index]
        return self.messages


@dataclass(frozen=True, slots=True)
class Assembly:
    """Builds prompts, always by the one function that does."""

    conversations: Conversations
    wording: Wording
    model: Model
    window: Window
    policy: WindowPolicy

    @property
    def budget(self) -> Budget:
        return self.policy.budget_of(self.window)

    def past(self, conversation: Conversation, question: Message | None = None) -> Past:
        """What a conversation holds before a question, with the ids of this model's vocabulary."""
        if conversation.head is None:
            return Past()
        path = self.conversations.path(conversation.id, self.model.vocabulary.fingerprint)
        ids = [message.id for message in path]
        if question and question.id in ids:
            ids = ids[: ids.index(question.id)]
        every = self.conversations.blocks(conversation.id)
        blocks = tuple(takewhile(lambda block: block.last in ids, every))
        covered = ids.index(blocks[-1].last) + 1 if blocks else 0
        left_out = messages_of_turns(path, conversation.omitted(Omission.TURN))
        return Past(blocks, path[covered : len(ids)], left_out)

    def prompt(
        self,
        conversation: Conversation,
        past: Past,
        question: Message | None,
        think: bool | None = None,
        *,
        reasoning: bool = True,
        begun: Message | None = None,
    ) -> Prompt:
        """The prompt; without `reasoning` none of earlier turns is in it, whatever the template
        keeps. `begun` is what there is of the answer."""
        content = PromptContent(
            system=conversation.system,
            pins=conversation.pins,
            blocks=past.blocks,
            history=sent(past.messages),
            question=question,
            started=conversation.created,
            think=think,
            reasoning=reasoning,
            reclaimed=conversation.reclaimed,
            given_back=conversation.omitted(Omission.ATTACHED),
            left_out=past.left_out,
            begun=begun,
        )
        return assemble(
            content,
            self.model.vocabulary,
            self.model.template,
            wording=self.wording,
            window=self.window.size,
            reserve=self.window.reserve,
            budget=self.policy.budget,
        )

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return len(self.model.vocabulary.tokenize(text, special=False, after=None))
