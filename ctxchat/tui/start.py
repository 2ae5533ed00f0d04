"""What the command line asked of the terminal UI."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxchat.context.attachments import Attachment
    from ctxchat.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a path: a file is one attachment, a folder one for each text file in it."""

    attachments: "tuple[Attachment, ...]"
    warnings: tuple[str, ...] = ()


Reader = Callable[[str, str, bool], Read]
"""Reads a path for a question, as a table where the last is true. Raises UsageError."""


@dataclass(frozen=True, slots=True)
class Start:
    """How the chat begins.

    `session` names a conversation (a new name begins one), `resume` means the one used last, neither
    a new one; with `fork` it goes on in a copy. `settings` reads the settings of this run anew, and raises
    SettingsError. `words` are asked at once, where there are any;
    attachments ride in the first question, and `read` reads more of them. `warnings` tell how they were read.
    """

    read: Reader
    settings: "Callable[[], Settings]"
    session: str | None = None
    resume: bool = False
    fork: bool = False
    words: str = ""
    attachments: "tuple[Attachment, ...]" = ()
    data: "tuple[Attachment, ...]" = ()
    collections: tuple[str, ...] | None = None
    filters: bool = True
    system: str | None = None
    pins: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
