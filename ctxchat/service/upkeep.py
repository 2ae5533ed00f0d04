"""What is done for a conversation between its turns."""

from collections.abc import Iterator
from dataclasses import replace

from ctxchat.context.budget import is_due, reclaim_until, turns_to_fold
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import Compacted, Compacting, Saving, Warned
from ctxchat.service.assembly import Assembly
from ctxchat.service.compaction import Compaction
from ctxchat.service.originals import reclaimed

Folding = Iterator[Compacting | Compacted]


def fold_where_due(compaction: Compaction, cancel: Cancel) -> Folding:
    """Bring what stands down to the landing, where it has passed the trigger: notes and data of past
    turns give way first, and the oldest turns are folded where what was spoken is still too much.

    Those of the last turn stay: the next question is often about them, and may fit beside them.
    """
    assembly, conversation = compaction.assembly, compaction.conversation
    budget, past = assembly.budget, assembly.past(conversation)
    prompt = assembly.prompt(conversation, past, None)
    if prompt.total > budget.trigger and (until := reclaim_until(prompt, budget, keep=1)):
        conversation = reclaimed(assembly.conversations, conversation, until, past.messages)
        compaction = replace(compaction, conversation=conversation)
        prompt = assembly.prompt(conversation, past, None)
    if is_due(prompt, budget):
        yield from compaction.fold(past, turns_to_fold(prompt, budget, keep=1), cancel)


def fold_now(compaction: Compaction, cancel: Cancel) -> Folding:
    """Fold all turns but the last. Raises UsageError where there is none."""
    assembly, conversation = compaction.assembly, compaction.conversation
    past = assembly.past(conversation)
    turns = assembly.prompt(conversation, past, None).verbatim_turns - 1
    if turns < 1:
        raise UsageError("there is nothing to fold: the conversation has no turn before its last")
    yield from compaction.fold(past, turns, cancel)


def restored_history(assembly: Assembly, conversation: Conversation) -> Iterator[Warned]:
    """Bring back from disk what was said: whoever folds it need not read it again."""
    cache = assembly.model.cache
    if cache is not None:
        prompt = assembly.prompt(conversation, assembly.past(conversation), None)
        if miss := cache.restore(prompt.ids, 0).miss:
            yield Warned(miss)


def save(assembly: Assembly, conversation: Conversation, cancel: Cancel) -> Iterator[Saving]:
    """Keep on disk what of the chat's cells the next prompt will begin with. Raises StoreError."""
    cache = assembly.model.cache
    if cache is None or cancel.requested:
        return
    yield Saving()
    prompt = assembly.prompt(conversation, assembly.past(conversation), None)
    cache.save(conversation.id, prompt.ids, cancel)
