"""`ctxchat notes`: files and texts as notes, found by a question."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxchat.cli.printing import hint, minutes, print_json
from ctxchat.cli.queries import InTokens, Most, Query, answer_queries
from ctxchat.display.plain_text import clean
from ctxchat.domain.errors import UsageError

if TYPE_CHECKING:
    from ctxchat.domain.passage import Collection, Passage
    from ctxchat.service.notes import FoundNote, NoteService

app = typer.Typer(
    help="Add files and texts as notes; find, list and remove them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DEFAULT = "notes"
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_OneOf = Annotated[
    str | None, typer.Option("--collection", metavar="NAME", help="Of this collection alone; else of all.")
]


@app.command()
def add(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...|-", help="Files and folders; - reads a text from stdin.", show_default=False
        ),
    ],
    collection: Annotated[str, typer.Option("--collection", metavar="NAME", help="Where to.")] = DEFAULT,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What to call the text from stdin.")
    ] = "stdin",
) -> None:
    """Make notes of files, folders or stdin: unchanged ones are skipped, changed ones replaced."""
    from ctxchat.cli.note_progress import follow
    from ctxchat.display.changes import changed

    if "-" in paths:
        if paths != ["-"]:
            raise UsageError("- reads stdin, and stands alone: add files by another command")
        events = _service().add_text(sys.stdin.buffer.read(), name, collection)
    else:
        events = _service().add(paths, collection)
    print(clean(changed(follow(events), collection)))


@app.command("list")
def list_(collection: _OneOf = None, json: Json = False) -> None:
    """List notes, by collection and source."""
    service = _service()
    notes = service.listing(collection)
    if json:
        print_json([_note_fields(note, service.tokens(note)) for note in notes])
    elif notes:
        from ctxchat.cli.tables import print_table

        rows = [(n.id, n.collection or "", n.source, minutes(n.at.astimezone()), n.text) for n in notes]
        print_table(("ID", "COLLECTION", "SOURCE", "ADDED", "TEXT"), rows)
    else:
        hint("there are no notes yet: add some with ctxchat notes add PATH")


@app.command()
def search(
    query: Query,
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", metavar="NAME", help="Search this one (repeatable); else all."),
    ] = None,
    k: Most = None,
    budget: InTokens = None,
    json: Json = False,
) -> None:
    """Find notes by a question, the best first."""
    service, names = _service(), collection or []
    service.require(names)
    for line in service.repair():
        typer.echo(f"ctxchat: {clean(line)}", err=True)

    def find(text: str) -> "list[FoundNote]":
        return service.search(text, names, most=k, budget=budget)

    def show(found: "list[FoundNote]") -> None:
        from ctxchat.cli.tables import print_table

        print_table(("ID", "SCORE", "TOKENS", "SOURCE", "TEXT"), [_found_row(note) for note in found])

    answer_queries(query, find, _hit_fields, show, json=json)


@app.command()
def remove(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID|PATH]...", help="Ids, or files and folders they are of."),
    ] = None,
    collection: Annotated[
        str | None,
        typer.Option("--collection", metavar="NAME", help="From this one; without ID or PATH all of it."),
    ] = None,
) -> None:
    """Remove notes, those of a file or a folder, or a whole collection."""
    removed = _service().remove(names or [], collection)
    print(f"{removed:,} {'note' if removed == 1 else 'notes'} removed")


@app.command()
def collections(json: Json = False) -> None:
    """List the collections."""
    found = _service().collections()
    if json:
        print_json([_collection_fields(collection) for collection in found])
    elif found:
        from ctxchat.cli.tables import print_table

        rows = [(c.name, f"{c.notes:,}", c.space, c.where) for c in found]
        print_table(("NAME", "NOTES", "EMBEDDER", "WHERE"), rows)
    else:
        hint("there are no notes yet: add some with ctxchat notes add PATH")


def _service() -> "NoteService":
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    return wiring.note_service(load_settings())


def _note_fields(note: "Passage", tokens: int | None) -> dict[str, Any]:
    return {
        "id": note.id,
        "collection": note.collection,
        "source": note.source,
        "tokens": tokens,
        "added": note.at.isoformat(),
    }


def _hit_fields(note: "FoundNote") -> dict[str, Any]:
    passage = note.hit.passage
    return {
        "id": passage.id,
        "collection": passage.collection,
        "source": passage.source,
        "score": round(note.hit.score, 4),
        "tokens": note.tokens,
        "text": passage.text,
    }


def _found_row(note: "FoundNote") -> tuple[str, ...]:
    passage = note.hit.passage
    tokens = "" if note.tokens is None else str(note.tokens)
    return (passage.id, f"{note.hit.score:.2f}", tokens, passage.source, passage.text)


def _collection_fields(collection: "Collection") -> dict[str, Any]:
    return {
        "name": collection.name,
        "notes": collection.notes,
        "embedder": collection.space,
        "where": collection.where,
    }
