"""Turns of a path: each begins with a message of the user, whoever speaks next belongs to it."""

from collections.abc import Iterable, Sequence

from ctxchat.domain.conversation import Message, Role


def turn_around(path: Sequence[Message], place: int) -> tuple[int, int]:
    """Where the turn of the message at `place` begins, and the place behind its end. What stands before the
    first message of the user is a turn too."""
    asked = [at for at, message in enumerate(path) if message.role is Role.USER]
    begin = max((at for at in asked if at <= place), default=0)
    return begin, min((at for at in asked if at > place), default=len(path))


def messages_of_turns(path: Sequence[Message], questions: Iterable[str]) -> frozenset[str]:
    """The messages of the turns that begin with these questions."""
    wanted = frozenset(questions)
    begins = [at for at, message in enumerate(path) if message.id in wanted]
    return frozenset(message.id for at in begins for message in path[slice(*turn_around(path, at))])
