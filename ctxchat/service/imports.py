"""Messages from JSON lines."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from ctxchat.domain.conversation import Message, Role, Section, Segment, new_id
from ctxchat.domain.errors import UsageError

_ROLES = (Role.USER, Role.ASSISTANT)


def read_messages(source: bytes) -> tuple[Message, ...]:
    """The messages of a file, each behind the one before it.

    Their ids are new, because those of a file are unique there alone; the file's are kept as
    `origin`. Questions at the end have no answer. Raises UsageError naming the line that cannot be
    read.
    """
    messages: list[Message] = []
    lines: dict[str, int] = {}
    now = datetime.now(UTC).astimezone()
    for number, line in enumerate(source.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            try:
                message = _message(line, messages[-1].id if messages else None, now)
                _check_unique(message.shown_id, lines)
            except UsageError as error:
                raise UsageError(f"line {number}: {error}: nothing was imported") from error
            lines[message.shown_id] = number
            messages.append(message)
    if not messages:
        raise UsageError("there are no messages to import: nothing was imported")
    return _with_open_questions(messages)


def _check_unique(id_: str, lines: dict[str, int]) -> None:
    if id_ in lines:
        raise UsageError(f'"id" is "{id_}", as in line {lines[id_]}')


def _message(line: bytes, parent: str | None, now: datetime) -> Message:
    fields = _fields(line)
    role, text = fields.get("role"), fields.get("text")
    if role not in _ROLES:
        raise UsageError('"role" must be "user" or "assistant"')
    if not isinstance(text, str):
        raise UsageError('"text" must be a string')
    id_, at = new_id(), _optional(fields, "at")
    return Message(
        id=id_,
        parent=parent,
        role=Role(str(role)),
        segments=(Segment(Section.HISTORY, text),),
        at=now if at is None else _time(at),
        name=_optional(fields, "name"),
        origin=_optional(fields, "id") or id_,
    )


def _fields(line: bytes) -> dict[str, object]:
    try:
        fields = json.loads(line.decode())
    except UnicodeDecodeError:
        raise UsageError("it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"it is not JSON ({error})") from None
    if not isinstance(fields, dict):
        raise UsageError("it is not a JSON object")
    return fields


def _optional(fields: dict[str, object], key: str) -> str | None:
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f'"{key}" must be a string')


def _time(at: str) -> datetime:
    """A time without a zone is local."""
    try:
        time = datetime.fromisoformat(at)
        return time if time.tzinfo else time.astimezone()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f'"at" must be an ISO 8601 time, not "{at}"') from None


def _with_open_questions(messages: list[Message]) -> tuple[Message, ...]:
    last = max((n for n, m in enumerate(messages) if m.role is Role.ASSISTANT), default=-1)
    return tuple(m if n <= last else replace(m, answered=False) for n, m in enumerate(messages))
