"""What a chat template does to messages, found by rendering a few."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Protocol

from ctxchat.domain.conversation import Role
from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import ReasoningTags, TemplateBehaviour
from ctxchat.engine.template.thinking import Messages, find_tags

MARKS = "⟦ctxchat:{}⟧"
"""Stands for a message: nothing a template would trim, split, change or say itself."""

ONE_DAY = datetime(2024, 2, 3, 4, 5, tzinfo=UTC)
_ANOTHER = datetime(2031, 11, 28, 19, 41, tzinfo=UTC)
_SYSTEM, _USER, _ASSISTANT = Role.SYSTEM, Role.USER, Role.ASSISTANT


class Render(Protocol):
    """Renders messages, or raises ModelError."""

    def __call__(self, messages: Messages, *, at: datetime, think: bool | None, answer: bool) -> str: ...


def probe(render: Render, source: str, *, switches_thinking: bool) -> TemplateBehaviour:
    """Render a few short conversations and see. Raises ModelError where not even a question
    can be rendered."""
    _literals(render, [_USER])
    takes, moves = _system(render)
    system = [_SYSTEM] if takes and not moves else []
    tags = find_tags(source, partial(_text, render, answer=False))
    plain = _messages([*system, _USER])
    return TemplateBehaviour(
        extends=_extends(render, system),
        strips_reasoning=tags is not None
        and (_begins_otherwise(render, tags, system) or _strips(render, tags)),
        trims=_trims(render),
        moves_system=moves,
        takes_system=takes,
        dated=_dated(render, plain) or _dated(render, _messages([_USER])),
        switches_thinking=switches_thinking,
        reasoning=tags,
    )


def between(text: str, marks: Sequence[str], roles: Sequence[Role]) -> tuple[str, ...]:
    """The texts around marks. Raises ModelError where a mark is not there once and in its turn."""
    literals = []
    rest = text
    for number, (mark, role) in enumerate(zip(marks, roles, strict=True), 1):
        literal, found, rest = rest.partition(mark)
        if text.count(mark) != 1 or not found:
            deed = "leaves out" if mark not in text else "moves" if text.count(mark) == 1 else "repeats"
            raise ModelError(f"the chat template {deed} message {number}, of the role {role.value}")
        literals.append(literal)
    return (*literals, rest)


def _messages(roles: Sequence[Role]) -> list[dict[str, str]]:
    return [{"role": role.value, "content": MARKS.format(i)} for i, role in enumerate(roles)]


def _text(render: Render, messages: Messages, *, at: datetime = ONE_DAY, answer: bool = True) -> str | None:
    """The rendered text, None where the template refuses."""
    try:
        return render(messages, at=at, think=None, answer=answer)
    except ModelError:
        return None


def _literals(render: Render, roles: Sequence[Role]) -> tuple[str, ...]:
    marks = [MARKS.format(number) for number in range(len(roles))]
    return between(render(_messages(roles), at=ONE_DAY, think=None, answer=True), marks, roles)


def _system(render: Render) -> tuple[bool, bool]:
    """Whether a system message is taken, and whether it is moved from where it was put."""
    alone = _text(render, _messages([_SYSTEM, _USER]))
    if alone is None or MARKS.format(0) not in alone:
        return False, False
    try:
        before = _literals(render, [_SYSTEM, _USER])
        after = _literals(render, [_SYSTEM, _USER, _ASSISTANT, _USER])
    except ModelError:
        return True, True
    return True, before[:2] != after[:2]


def _dated(render: Render, messages: Messages) -> bool:
    return _text(render, messages) != _text(render, messages, at=_ANOTHER)


def _extends(render: Render, system: list[Role]) -> bool:
    """Whether a second and a third turn begin with all of the one before."""
    turns = []
    for number in range(3):
        try:
            turns.append(_literals(render, [*system, *[_USER, _ASSISTANT] * number, _USER]))
        except ModelError:
            return False
    return all(later[: len(earlier)] == earlier for earlier, later in pairwise(turns))


def _trims(render: Render) -> bool:
    messages = _messages([_USER, _ASSISTANT, _USER])
    for message in messages:
        message["content"] = f"\n  {message['content']}  \n"
    text = _text(render, messages)
    return text is not None and not all(message["content"] in text for message in messages)


def _begins_otherwise(render: Render, tags: ReasoningTags, system: list[Role]) -> bool:
    """Whether an earlier answer stands behind other texts than the one that is asked for, or behind closed
    reasoning, so that its own, as it was written, cannot stand there."""
    try:
        asked = _literals(render, [*system, _USER])
        earlier = _literals(render, [*system, _USER, _ASSISTANT, _USER])
    except ModelError:
        return False
    before = earlier[len(system) + 1]
    return asked[-1] != before or tags.closing in before


def _strips(render: Render, tags: ReasoningTags) -> bool:
    """Whether an earlier answer loses its reasoning, or may not bring any."""
    messages = _messages([_USER, _ASSISTANT, _USER])
    reasoning = MARKS.format("reasoning")
    answer = messages[1]["content"]
    messages[1]["content"] = f"{tags.opening}\n{reasoning}\n{tags.closing}\n\n{answer}"
    text = _text(render, messages)
    return text is None or reasoning not in text
