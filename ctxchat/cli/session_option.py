"""The option of commands that work on one conversation."""

from typing import Annotated

import typer

Session = Annotated[
    str | None,
    typer.Option(
        "--session",
        metavar="ID_OR_NAME",
        help="The conversation; without it the one used last.",
        show_default=False,
    ),
]
