"""`ctxchat memory`: texts remembered across conversations."""

from typing import TYPE_CHECKING, Annotated

import typer

from ctxchat.cli.input import readable
from ctxchat.cli.printing import hint, minutes, print_json

if TYPE_CHECKING:
    from ctxchat.service.memory import MemoryService

app = typer.Typer(
    help="Remember texts across conversations, and forget them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def add(
    text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="What to remember, word for word.")],
) -> None:
    """Remember a text, and print its id."""
    print(_service().add(readable(" ".join(text))))


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List what is remembered, oldest first."""
    notes = _service().listing()
    if json:
        print_json([{"id": note.id, "added": note.at.isoformat(), "text": note.text} for note in notes])
    elif notes:
        from ctxchat.cli.tables import print_table

        print_table(
            ("ID", "ADDED", "TEXT"),
            [(n.id, minutes(n.at.astimezone()), n.text) for n in notes],
        )
    else:
        hint("nothing is remembered yet: ctxchat memory add TEXT")


@app.command()
def forget(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A text's id, or the beginning of one.")],
) -> None:
    """Forget a text, wherever it is kept."""
    _service().forget(id_)


def _service() -> "MemoryService":
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    return wiring.memory_service(load_settings())
