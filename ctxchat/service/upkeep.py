"""What is done for a conversation between its turns, while the person reads."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from ctxchat.context.budget import Budget, is_due, reclaim_until, turns_to_fold
from ctxchat.context.worth import is_worth_folding, worth_giving_back
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Message, Role, Section, Segment, count_turns, new_id
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.errors import ConversationBusyError, CtxChatError, UsageError
from ctxchat.domain.events import Compacted, Compacting, Saving, Settling, TurnEvent, Warned
from ctxchat.domain.path_turns import turn_around
from ctxchat.domain.prompt import Prompt
from ctxchat.service.assembly import Assembly, Past
from ctxchat.service.compaction import Compaction, Requests
from ctxchat.service.originals import reclaimed
from ctxchat.service.read_ahead import before_the_question, read_beginning

Folding = Iterator[Compacting | Compacted]

LITTLE = 32
"""Tokens that are read so soon that reading them ahead gains nothing."""


@dataclass(frozen=True, slots=True)
class FoldNow:
    """What a person wants folded at once: all turns up to that of a message, all but the last for None. The
    summary keeps above all what `focus` names."""

    through: str | None = None
    focus: str = ""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Keeps up one conversation by its id. `think` is how the turn before was asked to reason, and is
    what the next is expected to be asked. With `stays` somebody goes on asking in this process."""

    assembly: Assembly
    conversation: str
    requests: Requests
    think: bool | None = None
    stays: bool = False

    def steps(self, cancel: Cancel) -> Iterator[TurnEvent]:
        """All of it, in order. What goes wrong with the conversation waits for the next turn to be told."""
        with suppress(CtxChatError):
            yield from self._tidied(cancel)
        try:
            with self.assembly.conversations.hold(self.conversation):
                if conversation := self._found():
                    yield from save(self.assembly, conversation, self.think, cancel)
        except ConversationBusyError:
            return  # Whoever answers in it now will keep what it then holds.
        except CtxChatError as error:
            yield Warned(str(error))

    def fold(self, now: FoldNow, cancel: Cancel) -> Iterator[TurnEvent]:
        """Fold what a person wants folded. Raises UsageError where there is nothing to fold."""
        with self.assembly.conversations.hold(self.conversation):
            if conversation := self._found():
                compaction = replace(self._compaction(conversation), focus=now.focus)
                yield from fold_now(compaction, cancel, now.through)

    def _tidied(self, cancel: Cancel) -> Iterator[TurnEvent]:
        with self.assembly.conversations.hold(self.conversation):
            if (conversation := self._found()) and self.assembly.policy.folds and self._is_free:
                yield from fold_where_due(self._compaction(conversation), cancel)
            if self.stays and (conversation := self._found()):
                yield from settle(self.assembly, conversation, self.think, cancel)

    @property
    def _is_free(self) -> bool:
        """Whether work that nobody asked for costs time alone: a server is sent nothing unasked, and what
        stands in prompts to it stays until they would not fit, so that it finds them cached."""
        return self.assembly.model.cache is not None

    def _found(self) -> Conversation | None:
        return self.assembly.conversations.find(self.conversation)

    def _compaction(self, conversation: Conversation) -> Compaction:
        return Compaction(self.assembly, conversation, self.requests, writes=True)


def fold_where_due(compaction: Compaction, cancel: Cancel) -> Folding:
    """Bring what stands down to the landing, where it has passed the trigger: notes and data of past
    turns give way first, and the oldest turns are folded where what was spoken is still too much.

    Those of the last turn stay: the next question is often about them, and may fit beside them. Where it is
    known what work costs, each is done as soon as it saves more time than it takes, turns being folded at
    the last while the next still fits.
    """
    assembly, conversation = compaction.assembly, compaction.conversation
    budget, past = assembly.budget, assembly.past(conversation)
    curve = assembly.model.costs.curve() if assembly.model.costs else None
    prompt = assembly.prompt(conversation, past, None)
    if until := _given_back(prompt, budget, curve):
        conversation = reclaimed(assembly.conversations, conversation, until, past.messages)
        compaction = replace(compaction, conversation=conversation)
        prompt = assembly.prompt(conversation, past, None)
    if is_due(prompt, budget) and (curve is None or is_worth_folding(prompt, budget, curve)):
        yield from compaction.fold(past, turns_to_fold(prompt, budget, keep=1), cancel)


def _given_back(prompt: Prompt, budget: Budget, curve: CostCurve | None) -> str | None:
    """The message up to which notes and data are to be given back now."""
    if prompt.total > budget.trigger:
        return reclaim_until(prompt, budget, keep=1)
    return worth_giving_back(prompt, budget, curve) if curve else None


def fold_now(compaction: Compaction, cancel: Cancel, through: str | None) -> Iterator[TurnEvent]:
    """Fold all turns up to that of a message, or all but the last. Raises UsageError where there is none."""
    assembly, conversation = compaction.assembly, compaction.conversation
    past = assembly.past(conversation)
    if through is None:
        turns = assembly.prompt(conversation, past, None).verbatim_turns - 1
        why = "the conversation has no turn before its last"
    else:
        turns = _turns_through(past, through)
        why = "up to there it is folded already, or was never there"
    if turns < 1:
        raise UsageError(f"there is nothing to fold: {why}")
    if assembly.model.cache is not None:
        ids = compaction.read_for(past, turns).ids
        if miss := assembly.model.cache.restore(ids, 0).miss:
            yield Warned(miss)
    yield from compaction.fold(past, turns, cancel)


def _turns_through(past: Past, message: str) -> int:
    """How many turns are sent up to that of a message; 0 where it is not behind the summary."""
    places = [at for at, m in enumerate(past.messages) if message in (m.id, m.shown_id)]
    if not places:
        return 0
    _, end = turn_around(past.messages, places[0])
    return count_turns(past.sent_of(past.messages[:end]))


def settle(
    assembly: Assembly, conversation: Conversation, think: bool | None, cancel: Cancel
) -> Iterator[Settling | Warned]:
    """Read the history as the next turn will see it: without the reasoning that the template strips, without
    what was given back, behind a fresh summary."""
    cache = assembly.model.cache
    if cache is None or cancel.requested:
        return
    prompt = _next(assembly, conversation, think)
    ids = before_the_question(prompt)
    if prompt.total > prompt.usable or len(ids) - cache.plan(ids, 0).reused <= LITTLE:
        return
    if miss := cache.restore(ids, 0).miss:
        yield Warned(miss)
    if len(ids) - cache.plan(ids, 0).reused > LITTLE:
        for event in read_beginning(assembly.model, ids, cancel):
            yield Settling(event.done, event.total)


def save(
    assembly: Assembly, conversation: Conversation, think: bool | None, cancel: Cancel
) -> Iterator[Saving]:
    """Keep on disk what of the chat's cells the next prompt will begin with. Raises StoreError."""
    cache = assembly.model.cache
    if cache is None or cancel.requested:
        return
    yield Saving()
    cache.save(conversation.id, before_the_question(_next(assembly, conversation, think)), cancel)


def _next(assembly: Assembly, conversation: Conversation, think: bool | None) -> Prompt:
    """The next prompt of a conversation, of which all but the question is known."""
    question = Message(
        new_id(), conversation.head, Role.USER, (Segment(Section.QUESTION, "?"),), conversation.created
    )
    return assembly.prompt(conversation, assembly.past(conversation), question, think)
