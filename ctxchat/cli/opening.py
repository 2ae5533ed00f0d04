"""Opening the terminal UI. It imports little: what is read of settings and command line waits for need."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ctxchat.domain.errors import UsageError

if TYPE_CHECKING:
    from ctxchat.service.open_services import Services
    from ctxchat.settings.schema import Settings
    from ctxchat.tui.start import Read, Start


def has_terminal() -> bool:
    """Whether there is a screen to draw on, and keys to be had."""
    if not os.isatty(1):
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


def bare() -> "Start":
    """How the chat begins where nothing is said of it."""
    from ctxchat.tui.start import Start

    return Start(read_for_question, lambda: settings_of({}))


def opened(start: "Start") -> int:
    """Open the chat. Returns only where it fails: the process ends with the chat."""
    take_keys_from_terminal()
    from ctxchat.tui.launch import run

    code = run(_services, start)
    # All that is to be kept was written: giving the model's memory back would only take time.
    sys.stdout.flush()
    os._exit(code)


def settings_of(typed: Mapping[str, object], *, offline: bool = False) -> "Settings":
    """The settings under what was typed. Raises SettingsError."""
    from ctxchat.settings.load import load_settings

    return load_settings(typed, offline=offline)


def _services(settings: "Settings") -> "Services":
    from ctxchat.service import wiring

    return wiring.open_services(settings)


def read_for_question(path: str, words: str, table: bool) -> "Read":
    """What is read of a path that was not given by a flag. Raises UsageError."""
    from ctxchat.cli.input import read_path
    from ctxchat.tui.start import Read

    try:
        found = read_path(path, words, table)
    except UsageError as error:
        raise UsageError(_without_flag(str(error))) from error
    return Read((*found.attachments, *found.data), tuple(map(_without_flag, found.warnings)))


def _without_flag(line: str) -> str:
    """A line about a path that was not given by a flag."""
    return line.removeprefix("-f ").removeprefix("--data ")


def take_keys_from_terminal() -> None:
    """Put the terminal where keys are read from, once what was piped in is read."""
    if not os.isatty(0):
        keys = os.open("/dev/tty", os.O_RDWR)
        os.dup2(keys, 0)
        os.close(keys)
    if sys.__stdin__ is None:
        sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115
