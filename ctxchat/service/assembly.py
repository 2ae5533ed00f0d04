"""Prompts of a conversation, for a model that is loaded and a window that is chosen."""

from dataclasses import dataclass

from ctxchat.context.assemble import PromptContent, Wording, assemble
from ctxchat.context.budget import Budget
from ctxchat.domain.conversation import Conversation, Message, Role, sent
from ctxchat.domain.ports import Conversations, Model
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.summary import SummaryBlock
from ctxchat.domain.window import Window
from ctxchat.service.policy import WindowPolicy


@dataclass(frozen=True, slots=True)
class Past:
    """What was said: `blocks` for the oldest messages, and the `messages` behind them, those
    without an answer included."""

    blocks: tuple[SummaryBlock, ...] = ()
    messages: tuple[Message, ...] = ()

    def first_turns(self, count: int) -> tuple[Message, ...]:
        """The messages of the oldest `count` turns, and what stands before them."""
        turns = 0
        for index, message in enumerate(self.messages):
            if message.role is Role.USER and message.answered:
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
        blocks = self.conversations.blocks(conversation.id)
        path = self.conversations.path(conversation.id, self.model.vocabulary.fingerprint)
        if question and path and path[-1].id == question.id:
            path = path[:-1]
        if not blocks:
            return Past((), path)
        covered = [message.id for message in path].index(blocks[-1].last)
        return Past(blocks, path[covered + 1 :])

    def prompt(
        self,
        conversation: Conversation,
        past: Past,
        question: Message | None,
        think: bool | None = None,
        *,
        reasoning: bool = True,
    ) -> Prompt:
        """The prompt; without `reasoning` none of earlier turns is in it, whatever the template
        keeps."""
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
