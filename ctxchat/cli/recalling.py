"""`ctxchat sessions recall`: what was said in a conversation, found by a question."""

from typing import Annotated, Any

import typer

from ctxchat.cli.printing import minutes
from ctxchat.cli.queries import InTokens, Most, Query, answer_queries
from ctxchat.cli.tables import print_table
from ctxchat.service.recalling import Recalled, RecallService

_HEADER = ("MESSAGE", "AT", "ROLE", "SCORE", "TOKENS", "TEXT")


def recall(
    session: Annotated[
        str,
        typer.Argument(metavar="SESSION", help="An id, the beginning of one, or a name.", show_default=False),
    ],
    query: Query,
    k: Most = None,
    budget: InTokens = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find what was said in a conversation by a question, the best first."""
    service = _service()
    conversation = service.resolve(session)

    any_found = False

    def find(text: str) -> list[Recalled]:
        nonlocal any_found
        found = service.find(conversation, text, most=k, budget=budget)
        any_found = any_found or bool(found)
        return found

    def show(found: list[Recalled]) -> None:
        print_table(_HEADER, [_row(recalled) for recalled in found])

    answer_queries(query, find, _hit_fields, show, json=json)
    if any_found and not service.exact:
        typer.echo("ctxchat: this model's tokenizer is not known: tokens are estimates", err=True)


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
    at = minutes(passage.at)
    score = f"{recalled.hit.score:.2f}"
    return (passage.source, at, passage.role or "", score, str(recalled.tokens), passage.text)


def _service() -> RecallService:
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    return wiring.recall_service(load_settings())
