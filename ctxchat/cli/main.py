"""The command line.

Nothing heavy is imported here: a command is imported when it is named, and imports what it needs
when it runs.
"""

import os
import sys
from typing import Annotated

import typer
from typer.main import get_command

from ctxchat import __version__
from ctxchat.cli.commands import Commands

PROGRAM = "ctxchat"

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Chat with local GGUF models, and see what each prompt costs."""
    if context.invoked_subcommand is None:
        from ctxchat.cli.chat import alone

        alone(context)


def run_command() -> int:
    """Do what the command line says; returns the exit code."""
    command = get_command(app)
    if f"_{PROGRAM.upper()}_COMPLETE" in os.environ:
        from ctxchat.cli.completion import register_shells

        register_shells()
        command.main(prog_name=PROGRAM)
    try:
        with command.make_context(PROGRAM, sys.argv[1:]) as context:
            command.invoke(context)
    except typer.Exit as ending:
        return ending.exit_code
    except typer.Abort:
        return 1
    except typer.TyperException as error:
        # What typer raises knows how to show itself, with the usage of its command.
        getattr(error, "show", lambda: None)()
        return error.exit_code
    return 0
