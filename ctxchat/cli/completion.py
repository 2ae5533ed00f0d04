"""`ctxchat completion`: the script that completes commands and flags in a shell."""

from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="The shell to write for.")],
) -> None:
    """Print a completion script: `source <(ctxchat completion bash)`."""
    from typer._completion_shared import get_completion_script

    print(get_completion_script(prog_name="ctxchat", complete_var="_CTXCHAT_COMPLETE", shell=shell))


def register_shells() -> None:
    """Let the shells ask for completions; typer does so itself only beside its own options."""
    from typer._completion_classes import completion_init

    completion_init()
