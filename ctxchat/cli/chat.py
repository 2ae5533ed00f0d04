"""`ctxchat chat`, and `ctxchat` alone: the terminal UI."""

from typing import TYPE_CHECKING

import typer

from ctxchat.cli.opening import has_terminal, opened, read_for_question, settings_of
from ctxchat.cli.options import AskFlags
from ctxchat.cli.parsing import PairedCommand, takes

if TYPE_CHECKING:
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
    raise typer.Exit(_opened(flags))


def alone(context: typer.Context) -> None:
    """The chat; where there is neither a terminal nor input, the help."""
    from ctxchat.cli.input import stdin_has_text

    if not has_terminal() and not stdin_has_text():
        print(context.get_help())
        return
    raise typer.Exit(_opened(AskFlags()))


def _opened(flags: AskFlags) -> int:
    """Open the chat as the flags say; without a terminal, answer once."""
    if not has_terminal():
        from ctxchat.cli.answering import answer

        return answer(flags)
    from ctxchat.cli.options import check

    check(flags)
    return opened(start_of(flags))


def start_of(flags: AskFlags) -> "Start":
    """How the chat begins. Raises UsageError for what cannot be read."""
    from ctxchat.cli.input import read_attached, readable
    from ctxchat.cli.options import overrides
    from ctxchat.tui.start import Start

    typed = overrides(flags)
    question = read_attached(flags.words or (), flags.file, flags.data)
    return Start(
        read_for_question,
        lambda: settings_of(typed, offline=flags.offline),
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
