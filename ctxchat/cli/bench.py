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
class BenchFlags(EngineFlags):
    """What `bench` can be told."""

    model: Annotated[str | None, setting_option("model.path", "-m", "--model", metavar="MODEL")] = setting(
        "model.path"
    )
    quick: Annotated[bool, typer.Option("--quick", help="Measure short prompts only: half a minute.")] = False
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write the plot to a file too.")
    ] = None
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False


@app.command()
@takes(BenchFlags)
def bench(flags: BenchFlags) -> None:
    """Measure what prompts of 512 tokens, 1,024, 2,048 … up to the window cost on this machine, and fit
    the curve by which every wait is foretold."""
    from ctxchat.cli.benching import show_bench

    raise typer.Exit(show_bench(flags))
