"""`ctxchat sessions`: conversations seen, found, copied, carried out and in, and deleted."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from ctxchat.cli.printing import hint, minutes, print_json, write
from ctxchat.cli.recalling import recall
from ctxchat.cli.tables import print_table
from ctxchat.display.plain_text import clean
from ctxchat.domain.conversation import ConversationSummary, SearchHit
from ctxchat.domain.errors import UsageError
from ctxchat.domain.prompt import Piece
from ctxchat.service.conversations import ConversationService
from ctxchat.service.json_text import json_text
from ctxchat.service.transcripts import TranscriptFormat, attached, heading

app = typer.Typer(
    help="List, show, search, copy, carry and delete conversations.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_MEANT = "An id, the beginning of one, or a name"
Session = Annotated[str, typer.Argument(metavar="SESSION", help=f"{_MEANT}.", show_default=False)]
LastSession = Annotated[
    str | None, typer.Argument(metavar="[SESSION]", help=f"{_MEANT}; else the one used last.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(json: Json = False) -> None:
    """List conversations, the last used first."""
    listing = _service().listing()
    if json:
        print_json([_summary_json(summary) for summary in listing])
    elif listing:
        print_table(("ID", "UPDATED", "TURNS", "TOKENS", "NAME"), [_summary_row(s) for s in listing])
    else:
        hint('there is no conversation yet: begin one with ctxchat ask "…"')


@app.command()
def show(
    session: LastSession = None,
    context: Annotated[
        bool, typer.Option("--context", help="Print what the next turn would send, piece by piece.")
    ] = False,
    json: Json = False,
) -> None:
    """Print what was said in a conversation."""
    if context:
        _show_context(session, json)
        return
    transcript = _service().transcript(session)
    if json:
        print_json(transcript.fields())
        return
    write(f"{transcript.conversation.name} ({transcript.conversation.id})")
    for message in transcript.messages:
        sent_along = attached(message)
        note = f"\n[{sent_along:,} characters of attached text]" if sent_along else ""
        write(f"\n{heading(message)}:\n{message.spoken}{note}")


@app.command()
def search(
    query: Annotated[list[str], typer.Argument(metavar="QUERY...", help="Words to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, metavar="N", help="The most messages to print.")] = 100,
    json: Json = False,
) -> None:
    """Find messages by their words, the best first."""
    hits = _service().search(" ".join(query), k + 1)
    if len(hits) > k:
        typer.echo(f"ctxchat: there are more than {k} such messages: -k shows more of them", err=True)
    if json:
        print_json([_hit_json(hit) for hit in hits[:k]])
    elif hits:
        print_table(("SESSION", "MESSAGE", "AT", "ROLE", "TEXT"), [_hit_row(hit) for hit in hits[:k]])
    else:
        hint("nothing was found")


app.command()(recall)


@app.command()
def rename(session: Session, name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Give a conversation another name."""
    _service().rename(session, name)


@app.command()
def fork(session: LastSession = None) -> None:
    """Copy a conversation, and print the id of the copy."""
    write(_service().fork(session).id)


@app.command()
def export(
    session: LastSession = None,
    form: Annotated[
        TranscriptFormat, typer.Option("--format", help="What to write.")
    ] = TranscriptFormat.JSONL,
) -> None:
    """Write a conversation to stdout."""
    write(_service().transcript(session).written(form), end="")


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines; - reads stdin.")],
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What to call it.")] = None,
    json: Json = False,
) -> None:
    """Read a conversation from JSON lines, and print its id."""
    from_stdin = file == "-"
    name = name if name is not None or from_stdin else Path(file).stem
    imported = _service().adopt(_read_stdin() if from_stdin else _read_file(Path(file)), name)
    id_ = imported.conversation.id
    write(json_text({"id": id_, "messages": len(imported.messages)}) if json else id_)


@app.command()
def delete(
    sessions: Annotated[list[str], typer.Argument(metavar="SESSION...", help=f"{_MEANT}.")],
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> None:
    """Delete conversations, and all that only they hold."""
    service = _service()
    found = {c.id: c for c in map(service.resolve, sessions)}
    if not yes and not sys.stdin.isatty():
        raise UsageError("deleting cannot be undone and nobody can be asked here: give -y to do it")
    names = ", ".join(f'"{clean(c.name)}"' for c in found.values())
    if yes or typer.confirm(f"Delete {names} for good?", err=True):
        for conversation in found.values():
            service.delete(conversation)


def _show_context(session: str | None, json: bool) -> None:
    from ctxchat.domain.cancel import Cancel
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    settings = load_settings()
    conversation = _service().resolve(session)
    with closing(wiring.chat_service(settings)) as service:
        prompt = service.standing(conversation, settings.sampling.max_tokens, Cancel())
    if json:
        print_json([_piece_json(piece) for piece in prompt.pieces])
    else:
        print_table(("SECTION", "ID", "TURN", "TOKENS", "TEXT"), [_piece_row(p) for p in prompt.pieces])


def _service() -> ConversationService:
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    return wiring.conversation_service(load_settings())


def _read_stdin() -> bytes:
    return sys.stdin.buffer.read()


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _piece_json(piece: Piece) -> dict[str, Any]:
    return {
        "section": piece.section,
        "id": piece.owner,
        "turn": piece.turn,
        "tokens": len(piece.ids),
        "text": piece.text,
    }


def _piece_row(piece: Piece) -> tuple[str, ...]:
    turn = "" if piece.turn is None else str(piece.turn)
    return (piece.section, piece.owner or "", turn, str(len(piece.ids)), piece.text)


def _summary_json(summary: ConversationSummary) -> dict[str, Any]:
    return {
        "id": summary.conversation.id,
        "name": summary.conversation.name,
        "updated": summary.conversation.updated.isoformat(),
        "turns": summary.turns,
        "tokens": summary.tokens,
        "snapshot_bytes": summary.snapshot_bytes,
    }


def _summary_row(summary: ConversationSummary) -> tuple[str, ...]:
    return (
        summary.conversation.id,
        minutes(summary.conversation.updated.astimezone()),
        str(summary.turns),
        str(summary.tokens),
        summary.conversation.name,
    )


def _hit_json(hit: SearchHit) -> dict[str, Any]:
    return {
        "session": hit.conversation,
        "message": hit.message,
        "role": hit.role,
        "at": hit.at.isoformat(),
        "text": hit.text,
    }


def _hit_row(hit: SearchHit) -> tuple[str, ...]:
    return (hit.conversation, hit.message, minutes(hit.at), hit.role, hit.text)
