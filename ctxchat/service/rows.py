"""What the next turn would send, row by row, and what can be done with a row."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ctxchat.context.omissions import DROPPED, GIVEN_BACK
from ctxchat.domain.conversation import Conversation, Message, Omission, Pin, Section
from ctxchat.domain.errors import UsageError
from ctxchat.domain.path_turns import turn_around
from ctxchat.domain.ports import Conversations
from ctxchat.domain.prompt import Dropped, Piece, Prompt
from ctxchat.service.originals import keep_originals
from ctxchat.service.pins import PinService
from ctxchat.service.references import held
from ctxchat.service.turns import place_of

_ATTACHED = (Section.DATA, Section.NOTES)
_OMISSIONS = {DROPPED: Omission.TURN, GIVEN_BACK: Omission.ATTACHED}


class Action(StrEnum):
    """What can be done with a row."""

    PIN = "pin"
    DROP = "drop"
    PUT_BACK = "put back"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class Row:
    """A run of the prompt, or what was left out of it and why. `message` is the message it is of."""

    section: Section
    id: str | None
    turn: int | None
    tokens: int
    text: str
    message: str | None = None
    reason: str | None = None
    actions: frozenset[Action] = frozenset()

    @property
    def dropped(self) -> bool:
        """Whether a person left it out, and can put it back."""
        return Action.PUT_BACK in self.actions


@dataclass(frozen=True)
class RowService:
    """Rows of the conversation that is meant. All raise UsageError for what cannot be done with a row."""

    conversations: Conversations

    def listing(self, conversation: Conversation, prompt: Prompt) -> tuple[Row, ...]:
        """Every piece of a prompt in its order, then what was left out of it."""
        path = self.conversations.path(conversation.id) if prompt.dropped else ()
        messages = {message.id: message for message in path}
        left_out = (_left_out(d, _text_of(d, messages.get(d.id))) for d in prompt.dropped)
        return (*map(_sent, prompt.pieces), *left_out)

    def pin(self, reference: str | None, row: Row) -> Pin:
        """Keep the text of a row in every prompt."""
        _require(row, Action.PIN, "what the program itself says, or is pinned, cannot be pinned")
        return PinService(self.conversations).add(reference, row.text)

    def drop(self, reference: str | None, row: Row) -> None:
        """Send the turn of a row no more, or of notes and data those of its message. All of it stays on
        record, where recall finds it."""
        _require(row, Action.DROP, "only turns, and the notes and the data in them, can be left out")
        with held(self.conversations, reference) as conversation:
            path = self.conversations.path(conversation.id)
            place = place_of(conversation, path, row.message)
            if row.section in _ATTACHED:
                keep_originals(self.conversations, [path[place]])
                self.conversations.leave_out(conversation.id, path[place].id, Omission.ATTACHED)
                return
            begin, end = turn_around(path, place)
            keep_originals(self.conversations, path[begin:end])
            self.conversations.leave_out(conversation.id, path[begin].id, Omission.TURN)

    def put_back(self, reference: str | None, row: Row) -> None:
        """Send again what a person left out."""
        _require(row, Action.PUT_BACK, "it was not left out by you")
        assert row.message is not None
        assert row.reason is not None
        with held(self.conversations, reference) as conversation:
            self.conversations.put_back(conversation.id, row.message, _OMISSIONS[row.reason])


def _sent(piece: Piece) -> Row:
    message = piece.source.message if piece.source else None
    return Row(
        piece.section,
        piece.owner,
        piece.turn,
        len(piece.ids),
        piece.text,
        message,
        actions=frozenset(_actions(piece.section, piece.text, message)),
    )


def _actions(section: Section, text: str, message: str | None) -> Iterator[Action]:
    if message is None:
        return
    yield Action.COMPACT
    yield Action.DROP
    if text.strip() and section in (Section.HISTORY, *_ATTACHED):
        yield Action.PIN


def _text_of(dropped: Dropped, message: Message | None) -> str:
    """What a person knows it by: what was attached, or what the turn begins with."""
    if message is None:
        return ""
    if dropped.section in _ATTACHED:
        return "".join(s.text for s in message.segments if s.section is dropped.section)
    return message.spoken


def _left_out(dropped: Dropped, text: str) -> Row:
    mine = dropped.reason in _OMISSIONS
    return Row(
        dropped.section,
        dropped.id,
        None,
        dropped.tokens,
        text,
        message=dropped.id if mine else None,
        reason=dropped.reason,
        actions=frozenset({Action.PUT_BACK} if mine else ()),
    )


def _require(row: Row, action: Action, why: str) -> None:
    if action not in row.actions:
        raise UsageError(f"this cannot be done with a row of {row.section}: {why}")
