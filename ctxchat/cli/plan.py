"""`ctxchat plan`: what a prompt would cost under this and other budgets."""

import typer

from ctxchat.cli.options import AskFlags
from ctxchat.cli.parsing import PairedCommand, takes

app = typer.Typer(add_completion=False, rich_markup_mode=None)

ANSWERED_BY = (
    *("dry_run", "temperature", "seed", "option", "extract", "hide_reasoning"),
    *("show_filtered", "events", "no_stream", "usage", "stats", "quiet"),
)
"""Flags of `ask` that say how an answer is made and shown."""


@app.command(cls=PairedCommand)
@takes(AskFlags, without=ANSWERED_BY)
def plan(flags: AskFlags) -> None:
    """Show what a prompt would cost under this and other budgets. Nothing is sent or written, and the
    weights are not read."""
    from ctxchat.cli.planning import show_plan

    raise typer.Exit(show_plan(flags))
