"""What a turn is about: a new question, or the last one again."""

from dataclasses import replace

from ctxchat.context.begun import whole
from ctxchat.domain.conversation import Change, Conversation, Finish, Message, Role, Segment
from ctxchat.domain.errors import UsageError
from ctxchat.domain.ports import Model
from ctxchat.service.journal import Journal
from ctxchat.service.request import AskRequest, Reply
from ctxchat.service.turn import Turn

_CUT = (Finish.LENGTH, Finish.CANCELLED)


def begin_turn(turn: Turn, request: AskRequest, journal: Journal, conversation: Conversation) -> None:
    """Put into a turn what it is about; a new question is written down. Raises UsageError where there is
    nothing to answer again, or to go on with."""
    turn.conversation = conversation
    if request.reply is Reply.NEW:
        turn.conversation, turn.question = journal.ask(request, conversation)
        return
    turn.question, answer = _last(conversation, journal.history(conversation))
    if request.reply is Reply.REST:
        if answer is None or answer.finish not in _CUT:
            raise UsageError(f'the last answer in "{conversation.name}" was not cut: there is no rest of it')
        turn.begun = answer
    turn.change = Change(request.reply) if answer is not None else None


def read_again(turn: Turn, journal: Journal, model: Model) -> None:
    """Give a question that is answered again, and the answer that was begun, the ids they have for this
    model."""
    assert turn.conversation is not None
    assert turn.question is not None
    path = {m.id: m for m in journal.history(turn.conversation, model.vocabulary.fingerprint)}
    turn.question = path.get(turn.question.id, turn.question)
    if turn.begun is not None:
        turn.begun = path[turn.begun.id]


def recorded(turn: Turn, model: Model) -> tuple[Segment, ...]:
    """The segments of the answer as they are recorded, none where there is nothing to record: where the
    model fails at the rest of an answer, what there was of it stays as it is."""
    segments = turn.answer(strips_reasoning=model.template.behaviour.strips_reasoning)
    if turn.begun is None or not segments:
        return segments
    return whole(turn.begun, segments, model.vocabulary) if turn.generated else ()


def _last(conversation: Conversation, path: tuple[Message, ...]) -> tuple[Message, Message | None]:
    """The last question, and its answer where it has one."""
    if path and path[-1].role is Role.USER:
        return replace(path[-1], answered=True), None
    if len(path) < 2 or path[-2].role is not Role.USER:
        raise UsageError(f'there is no question in "{conversation.name}" that could be answered again')
    return path[-2], path[-1]
