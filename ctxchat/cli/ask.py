"""`ctxchat ask`: one question, one answer."""

import typer

from ctxchat.cli.options import AskFlags
from ctxchat.cli.parsing import PairedCommand, takes

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=PairedCommand)
@takes(AskFlags)
def ask(flags: AskFlags) -> None:
    """Ask one question and print the answer."""
    from ctxchat.cli.answering import answer

    raise typer.Exit(answer(flags))
