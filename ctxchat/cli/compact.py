"""`ctxchat compact`: old turns folded into a summary now, and what they were summarized to."""

from typing import TYPE_CHECKING, Annotated

import typer

from ctxchat.cli.failures import INTERRUPTED
from ctxchat.cli.printing import print_json, write
from ctxchat.cli.session_option import Session

if TYPE_CHECKING:
    from ctxchat.domain.summary import SummaryBlock
    from ctxchat.service.summaries import Summaries, SummaryService

app = typer.Typer(
    help="Fold all turns but the last into a summary, or see, edit or undo the summaries.",
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def compact(context: typer.Context, session: Session = None) -> None:
    """Fold all turns but the last into a summary now; or see, edit or undo the summaries."""
    if context.invoked_subcommand is None:
        _fold(session)


def _fold(session: str | None) -> None:
    from contextlib import closing

    from ctxchat.cli.interrupts import cancelled_by_interrupt
    from ctxchat.display.steps import folded
    from ctxchat.domain.cancel import Cancel
    from ctxchat.domain.events import Compacted, Warned
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    settings, cancel = load_settings(), Cancel()
    conversation = wiring.conversation_service(settings).resolve(session)
    with cancelled_by_interrupt(cancel), closing(wiring.chat_service(settings)) as service:
        for event in service.compact(conversation, settings.sampling.max_tokens, cancel):
            if isinstance(event, Compacted):
                _say(folded(event))
            elif isinstance(event, Warned):
                _say(event.message)
    if cancel.requested:
        raise typer.Exit(INTERRUPTED)


@app.command()
def show(
    session: Session = None, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Print what stands in the prompt for turns that are no longer sent word for word."""
    summaries = _service().shown(session)
    if json:
        print_json([_block_json(block) for block in summaries.blocks])
    else:
        write(_readable(summaries))


@app.command()
def edit(session: Session = None) -> None:
    """Open the last summary in $VISUAL or $EDITOR. Its facts stay beside it, word for word."""
    from ctxchat.display.editor import edited

    block = _service().edit(session, edited)
    _say("nothing was changed" if block is None else f"the summary of {_turns(block.turns)} is now yours")


@app.command()
def undo(session: Session = None) -> None:
    """Take the last compaction back, or the last edit of a summary."""
    from ctxchat.display.summaries import undone

    _say(undone(*_service().undo(session)))


def _service() -> "SummaryService":
    from ctxchat.service import wiring

    return wiring.summary_service()


def _say(text: str) -> None:
    typer.echo(f"ctxchat: {text}", err=True)


def _turns(number: int) -> str:
    return "1 turn" if number == 1 else f"{number} turns"


def _readable(summaries: "Summaries") -> str:
    from ctxchat.display.summaries import AUTHORS, passage, span, spans

    passages = [f"{summaries.conversation.name} ({summaries.conversation.id})"]
    for block, (begin, end) in zip(summaries.blocks, spans(summaries), strict=True):
        turns = span(begin, end).capitalize()
        passages.append(f"{turns}, {AUTHORS[block.origin]}:\n{passage(block)}")
    return "\n\n".join(passages)


def _block_json(block: "SummaryBlock") -> dict[str, object]:
    return {
        "id": block.id,
        "first": block.first,
        "last": block.last,
        "turns": block.turns,
        "origin": block.origin,
        "prose": block.prose,
        "facts": block.facts,
        "left_out": block.left_out,
    }
