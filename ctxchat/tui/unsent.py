"""What was written and not sent, kept in a file from one start to the next."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ctxchat.context.attachments import Attachment
from ctxchat.domain.errors import CtxChatError
from ctxchat.locations import private_folder, state_folder
from ctxchat.tui.chat.written import Written

_OF_A_NEW_ONE = "new"


def keep(conversation: str | None, written: Sequence[Written]) -> None:
    """Keep what was not sent in a conversation, None meaning a new one, and nothing that was kept before.
    What cannot be written is lost: the person is leaving."""
    with suppress(OSError, CtxChatError):
        if not written:
            forget(conversation)
            return
        file = _file(conversation)
        beside = private_folder(file.parent) / f".{os.getpid()}"
        beside.touch(mode=0o600)
        beside.write_text(json.dumps([_fields(one) for one in written]))
        beside.replace(file)


def kept(conversation: str | None) -> list[Written]:
    """What was not sent when this conversation was left: the draft first."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return [_written(fields) for fields in json.loads(_file(conversation).read_text())]
    return []


def forget(conversation: str | None) -> None:
    """Let go of what is kept of a conversation."""
    with suppress(OSError):
        _file(conversation).unlink(missing_ok=True)


def conversations() -> Iterator[str]:
    """The conversations of which something is kept."""
    with suppress(OSError):
        for file in _folder().glob("*.json"):
            if file.stem != _OF_A_NEW_ONE:
                yield file.stem


def _folder() -> Path:
    return state_folder() / "unsent"


def _file(conversation: str | None) -> Path:
    return _folder() / f"{conversation or _OF_A_NEW_ONE}.json"


def _fields(written: Written) -> dict[str, Any]:
    return {
        "text": written.text,
        "attachments": [[a.label, a.text, a.condensed_from] for a in written.attachments],
        "data": [[a.label, a.text, a.condensed_from] for a in written.data],
    }


def _written(fields: dict[str, Any]) -> Written:
    attachments, data = (tuple(Attachment(*one) for one in fields[kind]) for kind in ("attachments", "data"))
    return Written(fields["text"], attachments, data)
