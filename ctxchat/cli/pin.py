"""`ctxchat pin`: text that stands in every prompt of a conversation."""

from typing import TYPE_CHECKING, Annotated

import typer

from ctxchat.cli.printing import print_json
from ctxchat.cli.session_option import Session

if TYPE_CHECKING:
    from ctxchat.domain.conversation import Pin
    from ctxchat.service.pins import PinService

app = typer.Typer(
    help="Pin text that stands in every prompt of a conversation.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def add(
    text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="What to keep, word for word.")],
    session: Session = None,
) -> None:
    """Pin a text, and print its id."""
    print(_service().add(session, " ".join(text)).id)


@app.command("list")
def list_(
    session: Session = None, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the pins of a conversation, in the order they were made."""
    from ctxchat.cli.tables import print_table

    pins = _service().listing(session)
    if json:
        print_json([_pin_json(pin) for pin in pins])
    elif pins:
        print_table(("ID", "STANDS", "TEXT"), [(pin.id, _place(pin), pin.text) for pin in pins])


@app.command()
def remove(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A pin's id, or the beginning of one.")],
    session: Session = None,
) -> None:
    """Remove a pin."""
    _service().remove(session, id_)


def _service() -> "PinService":
    from ctxchat.service import wiring

    return wiring.pin_service()


def _place(pin: "Pin") -> str:
    if pin.pending:
        return "in the next question"
    return "before the history" if pin.message is None else f"in {pin.message}"


def _pin_json(pin: "Pin") -> dict[str, object]:
    return {"id": pin.id, "text": pin.text, "message": pin.message, "pending": pin.pending}
