"""`ctxchat sessions recall`: what was said in a conversation, found by a question."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ctxchat.cli.plain_text import clean
from ctxchat.cli.tables import print_table
from ctxchat.domain.errors import UsageError
from ctxchat.service.json_text import json_text
from ctxchat.service.recalling import Recalled, RecallService

_HEADER = ("MESSAGE", "AT", "ROLE", "SCORE", "TOKENS", "TEXT")


_Session = Annotated[
    str,
    typer.Argument(metavar="SESSION", help="An id, the beginning of one, or a name.", show_default=False),
]
_Query = Annotated[
    list[str],
    typer.Argument(
        metavar="QUERY...|-", help="A question; - reads one from each line of stdin.", show_default=False
    ),
]
_Most = Annotated[
    int | None,
    typer.Option("-k", min=1, metavar="N", help="The most messages to print: 10, or all a budget holds."),
]
_Budget = Annotated[
    int | None,
    typer.Option("--budget", min=1, metavar="TOKENS", help="Print what so many tokens hold, best first."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def recall(
    session: _Session, query: _Query, k: _Most = None, budget: _Budget = None, json: _Json = False
) -> None:
    """Find what was said in a conversation by a question, the best first."""
    service = _service()
    conversation = service.resolve(session)
    if query == ["-"]:
        any_found = False
        for line in lines():
            found = service.find(conversation, line, most=k, budget=budget)
            any_found = any_found or bool(found)
            print(json_text(_fields(line, found)), flush=True)
        _tell_estimates(service, any_found)
        return
    question = " ".join(query)
    if not question.strip():
        raise UsageError("there is nothing to look for: give a question")
    found = service.find(conversation, question, most=k, budget=budget)
    _tell_estimates(service, bool(found))
    _print(question, found, json=json)


def _tell_estimates(service: RecallService, any_found: bool) -> None:
    if any_found and not service.exact:
        typer.echo("ctxchat: this model's tokenizer is not known: tokens are estimates", err=True)


def _print(question: str, found: list[Recalled], *, json: bool) -> None:
    if json:
        text = json_text(_fields(question, found), indent=2)
        print(clean(text) if sys.stdout.isatty() else text)
    elif found:
        print_table(_HEADER, [_row(recalled) for recalled in found])
    elif sys.stderr.isatty():
        typer.echo("nothing was found", err=True)


def lines() -> Iterator[str]:
    """Lines of stdin as they come, blank ones included."""
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "replace")


def _fields(query: str, found: list[Recalled]) -> dict[str, Any]:
    return {"query": query, "hits": [_hit_fields(recalled) for recalled in found]}


def _hit_fields(recalled: Recalled) -> dict[str, Any]:
    passage = recalled.hit.passage
    return {
        "turn": passage.source,
        "role": passage.role,
        "at": passage.at.isoformat(),
        "score": round(recalled.hit.score, 4),
        "tokens": recalled.tokens,
        "text": passage.text,
    }


def _row(recalled: Recalled) -> tuple[str, ...]:
    passage = recalled.hit.passage
    at = passage.at.isoformat(sep=" ", timespec="minutes")
    score = f"{recalled.hit.score:.2f}"
    return (passage.source, at, passage.role or "", score, str(recalled.tokens), passage.text)


def _service() -> RecallService:
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    return wiring.recall_service(load_settings())
