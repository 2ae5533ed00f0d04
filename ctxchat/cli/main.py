"""The command line: how it begins, and how the process ends.

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
from ctxchat.cli.failures import exit_code_of

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


def run() -> None:
    """Run the command line and leave with its exit code."""
    for name in ("stdout", "stderr"):
        _prepare_stream(name)
    sys.exit(exit_code_of(_run_command))


def _run_command() -> int:
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


def _prepare_stream(name: str) -> None:
    """Write UTF-8 whatever the locale says; nowhere where the stream was closed."""
    if getattr(sys, name) is None:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        setattr(sys, name, os.fdopen(descriptor, "w", encoding="utf-8"))
    getattr(sys, name).reconfigure(encoding="utf-8", errors="replace")
