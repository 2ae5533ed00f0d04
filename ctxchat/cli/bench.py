"""`ctxchat bench`: the cost of context on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ctxchat.cli.engine_flags import EngineFlags
from ctxchat.cli.parsing import takes
from ctxchat.cli.setting_flags import setting, setting_option

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True, kw_only=True)
class MeasuringFlags(EngineFlags):
    """What every measurement can be told."""

    model: Annotated[str | None, setting_option("model.path", "-m", "--model", metavar="MODEL")] = setting(
        "model.path"
    )
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write the plot to a file too.")
    ] = None
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False


@dataclass(frozen=True, kw_only=True)
class BenchFlags(MeasuringFlags):
    """What `bench` can be told."""

    quick: Annotated[bool, typer.Option("--quick", help="Measure short prompts only: half a minute.")] = False


@dataclass(frozen=True, kw_only=True)
class BenchChatFlags(MeasuringFlags):
    """What `bench chat` can be told."""

    turns: Annotated[
        int | None,
        typer.Option(
            "--turns", min=1, metavar="N", help="Turns; as many as fill the window twice unless set."
        ),
    ] = None
    last: Annotated[
        int | None,
        typer.Option(
            "--last", min=1, metavar="N", help="Turns that the sliding window sends; all that fit unless set."
        ),
    ] = None
    quick: Annotated[
        bool, typer.Option("--quick", help="A window of 1,024 tokens where none is set: a few minutes.")
    ] = False


@app.callback(invoke_without_command=True)
@takes(BenchFlags, group=True)
def bench(flags: BenchFlags) -> None:
    """Measure what prompts of 512 tokens, 1,024, 2,048 … up to the window cost on this machine, and fit
    the curve by which every wait is foretold."""
    from ctxchat.cli.benching import show_bench

    raise typer.Exit(show_bench(flags))


@app.command()
@takes(BenchChatFlags)
def chat(flags: BenchChatFlags) -> None:
    """Hold one long conversation in three ways: all of it sent, the last turns alone, and old turns folded
    and recalled; and show what each reads, and how long each is waited for. The window is 2,048 tokens
    unless it is set. Nothing is kept of it."""
    from ctxchat.cli.bench_chat import show_bench_chat

    raise typer.Exit(show_bench_chat(flags))
