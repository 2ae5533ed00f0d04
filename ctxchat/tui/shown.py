"""Messages of the record as turns that are shown."""

from collections.abc import Iterable

from ctxchat.context.attachments import attached_texts
from ctxchat.display.receipt_line import ENDINGS
from ctxchat.domain.conversation import Message, Role
from ctxchat.tui.chat.turn_view import ShownTurn


def shown_turns(messages: Iterable[Message]) -> list[ShownTurn]:
    """Turns in their order; a question that was never answered, or an answer without one, stands alone."""
    turns: list[ShownTurn] = []
    for message in messages:
        if message.role is Role.USER:
            turns.append(_asked(message))
        elif message.role is Role.ASSISTANT:
            if not turns or turns[-1].answer_id is not None:
                turns.append(ShownTurn(""))
            _answer(turns[-1], message)
    return turns


def _asked(message: Message) -> ShownTurn:
    labels = tuple(label for label, _ in attached_texts(message.segments))
    about = "" if message.answered else "not answered"
    return ShownTurn(message.spoken, labels, question_id=message.id, about=about)


def _answer(turn: ShownTurn, message: Message) -> None:
    turn.answer, turn.reasoning = message.spoken, message.reasoning
    turn.answer_id, turn.finish = message.id, message.finish
    turn.about = ENDINGS.get(message.finish, "") if message.finish else ""
