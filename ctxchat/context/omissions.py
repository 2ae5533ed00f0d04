"""What of earlier turns is not sent any more, and why: to make room, or because a person says so."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from ctxchat.context.attachments import still_attached
from ctxchat.domain.conversation import Message, Role, Section, Segment
from ctxchat.domain.prompt import Dropped

RECLAIMED = "of an earlier turn, to make room; it is recalled where a question needs it"
DROPPED = "dropped by you"
GIVEN_BACK = "given back by you"

Count = Callable[[Segment], int]


def bare(history: Sequence[Message], reclaimed: str | None, given_back: Collection[str]) -> set[str]:
    """The messages whose notes and data are not sent any more: those up to the one `reclaimed`, and those
    a person gave back."""
    attached = still_attached(history, reclaimed)
    gone = {m.id for m in history[: len(history) - len(attached)]}
    return gone | {m.id for m in history if m.id in given_back}


def dropped(
    history: Sequence[Message],
    bare_ones: Collection[str],
    given_back: Collection[str],
    left_out: Collection[str],
    count: Count,
) -> Iterator[Dropped]:
    """All that is left out of a history: what is attached to bare messages, and whole turns of which all
    messages are `left_out`."""
    for message in history:
        if message.id in bare_ones and message.id not in left_out:
            mine = message.id in given_back
            for segment in message.segments:
                if segment.section in (Section.DATA, Section.NOTES):
                    id_ = message.id if mine else segment.passage or message.id
                    yield Dropped(segment.section, id_, count(segment), GIVEN_BACK if mine else RECLAIMED)
    for turn in _turns([m for m in history if m.id in left_out]):
        tokens = sum(count(segment) for message in turn for segment in message.segments)
        yield Dropped(Section.HISTORY, turn[0].id, tokens, DROPPED)


def _turns(messages: Iterable[Message]) -> list[list[Message]]:
    turns: list[list[Message]] = []
    for message in messages:
        if message.role is Role.USER or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns
