"""What is done for a conversation between its turns."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ctxchat.context.budget import is_due, reclaim_until, turns_to_fold
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, count_turns
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import Compacted, Compacting, Saving, Warned
from ctxchat.domain.path_turns import turn_around
from ctxchat.service.assembly import Assembly, Past
from ctxchat.service.compaction import Compaction
from ctxchat.service.originals import reclaimed

Folding = Iterator[Compacting | Compacted]


@dataclass(frozen=True, slots=True)
class FoldNow:
    """What a person wants folded at once: all turns up to that of a message, all but the last for None. The
    summary keeps above all what `focus` names."""

    through: str | None = None
    focus: str = ""


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


def fold_now(compaction: Compaction, cancel: Cancel, through: str | None = None) -> Folding:
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
    yield from compaction.fold(past, turns, cancel)


def _turns_through(past: Past, message: str) -> int:
    """How many turns are sent up to that of a message; 0 where it is not behind the summary."""
    places = [at for at, m in enumerate(past.messages) if message in (m.id, m.shown_id)]
    if not places:
        return 0
    _, end = turn_around(past.messages, places[0])
    return count_turns(past.sent_of(past.messages[:end]))


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
