"""`ctxchat chat`, and `ctxchat` alone: the terminal UI."""

import os
import sys
from typing import TYPE_CHECKING

import typer

from ctxchat.cli.options import AskFlags
from ctxchat.cli.parsing import PairedCommand, takes
from ctxchat.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctxchat.service.open_services import Services
    from ctxchat.settings.schema import Settings
    from ctxchat.tui.start import Start

app = typer.Typer(add_completion=False, rich_markup_mode=None)

ONE_SHOT = (
    "no_log",
    "template",
    "param",
    "show_filtered",
    "dry_run",
    "extract",
    "hide_reasoning",
    "json",
    "events",
    "no_stream",
    "usage",
    "stats",
    "quiet",
)
"""Flags of `ask` about one answer alone, and how it is printed."""


@app.command(cls=PairedCommand)
@takes(AskFlags, without=ONE_SHOT)
def chat(flags: AskFlags) -> None:
    """Chat in the terminal. Words are asked at once; text of stdin is attached.

    Where there is no terminal, it is `ctxchat ask`.
    """
    raise typer.Exit(opened(flags))


def alone(context: typer.Context) -> None:
    """The chat; where there is neither a terminal nor input, the help."""
    from ctxchat.cli.input import stdin_has_text

    if not has_terminal() and not stdin_has_text():
        print(context.get_help())
        return
    raise typer.Exit(opened(AskFlags()))


def has_terminal() -> bool:
    """Whether there is a screen to draw on, and keys to be had."""
    if not os.isatty(1):
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


def opened(flags: AskFlags) -> int:
    """Open the chat as the flags say; without a terminal, answer once."""
    if not has_terminal():
        from ctxchat.cli.answering import answer

        return answer(flags)
    from ctxchat.cli.options import check, overrides
    from ctxchat.settings.load import load_settings

    check(flags)
    settings = load_settings(overrides(flags))
    start = start_of(flags)
    take_keys_from_terminal()
    from ctxchat.tui.launch import run

    code = run(settings, opening(settings), start)
    # All that is to be kept was written: giving the model's memory back would only take time.
    sys.stdout.flush()
    os._exit(code)


def opening(settings: "Settings") -> "Callable[[], Services]":
    """What opens the services: it imports much, so it is called behind the first frame."""

    def opened_services() -> "Services":
        from ctxchat.service import wiring

        return wiring.open_services(settings)

    return opened_services


def start_of(flags: AskFlags) -> "Start":
    """How the chat begins. Raises UsageError for what cannot be read."""
    from ctxchat.cli.input import read_attached, read_path, readable
    from ctxchat.cli.options import overrides
    from ctxchat.settings.load import load_settings
    from ctxchat.tui.start import Read, Start

    def read(path: str, words: str, table: bool) -> Read:
        try:
            found = read_path(path, words, table)
        except UsageError as error:
            raise UsageError(_without_flag(str(error))) from error
        return Read((*found.attachments, *found.data), tuple(map(_without_flag, found.warnings)))

    question = read_attached(flags.words or (), flags.file, flags.data)
    return Start(
        read,
        lambda: load_settings(overrides(flags)),
        session=None if flags.session is None else readable(flags.session),
        resume=flags.resume,
        fork=flags.fork,
        words=question.words,
        attachments=question.attachments,
        data=question.data,
        collections=tuple(map(readable, flags.notes)) or None,
        filters=not flags.no_filter,
        system=None if flags.system is None else readable(flags.system),
        pins=tuple(map(readable, flags.pin)),
        warnings=question.warnings,
    )


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
