"""Questions that search: one as words, or one on each line of stdin."""

import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

import typer

from ctxchat.cli.printing import hint, print_json
from ctxchat.domain.errors import UsageError

Found = TypeVar("Found")

Query = Annotated[
    list[str],
    typer.Argument(
        metavar="QUERY...|-", help="A question; - reads one from each line of stdin.", show_default=False
    ),
]
Most = Annotated[
    int | None,
    typer.Option("-k", min=1, metavar="N", help="The most to print: 10, or what a budget holds."),
]
InTokens = Annotated[
    int | None,
    typer.Option("--budget", min=1, metavar="TOKENS", help="Print what so many tokens hold, best first."),
]


def answer_queries(
    query: list[str],
    find: Callable[[str], list[Found]],
    fields: Callable[[Found], dict[str, Any]],
    show: Callable[[list[Found]], None],
    *,
    json: bool,
) -> None:
    """Print what is found for a question, as a table by `show` or as JSON; for each line of stdin, blank
    ones included, one line of JSON. Raises UsageError where nothing is asked."""
    from ctxchat.service.json_text import json_text

    if query == ["-"]:
        for line in _lines():
            print(json_text(_answer(line, find(line), fields)), flush=True)
        return
    question = " ".join(query)
    if not question.strip():
        raise UsageError("there is nothing to look for: give a question")
    found = find(question)
    if json:
        print_json(_answer(question, found, fields))
    elif found:
        show(found)
    else:
        hint("nothing was found")


def _answer(query: str, found: list[Found], fields: Callable[[Found], dict[str, Any]]) -> dict[str, Any]:
    return {"query": query, "hits": [fields(one) for one in found]}


def _lines() -> Iterator[str]:
    """Lines of stdin as they come, blank ones included."""
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "replace")
