"""`ctxchat models fit`: how a model would be run here, before it is loaded."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ctxchat.cli.completing import model_names
from ctxchat.cli.engine_flags import EngineFlags
from ctxchat.cli.printing import print_json
from ctxchat.cli.setting_flags import settings_typed
from ctxchat.display import amounts

if TYPE_CHECKING:
    from ctxchat.domain.model import ModelFit


@dataclass(frozen=True, kw_only=True)
class FitFlags(EngineFlags):
    """What `models fit` can be told."""

    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="A path, or a name from `models list`; else the one in use.",
            autocompletion=model_names,
        ),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False


def show_fit(flags: FitFlags) -> None:
    """Say how many layers, which window and which types of keys and values memory has room for, and why.

    What is typed is kept. Exits 3, with what would fit, where a model would swap or be killed.
    """
    from ctxchat.cli.failures import say
    from ctxchat.domain.errors import UsageError
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings
    from ctxchat.settings.server import named

    settings = load_settings(settings_typed(flags))
    if named(reference := flags.model or settings.model.path) is not None:
        raise UsageError(f"{reference} runs elsewhere, and this is about a file: name one")
    fit = wiring.model_fit(settings, wiring.model_library(settings).usable(flags.model))
    if flags.json:
        shown = asdict(fit)
        del shown["notice"]
        print_json(shown)
    else:
        _print(fit)
    if fit.notice:
        say(fit.notice)


def _print(fit: "ModelFit") -> None:
    from ctxchat.cli.tables import print_table

    print(fit.reason)
    rows = [
        ("layers offloaded", f"{fit.n_gpu_layers:,}"),
        ("window", f"{fit.window:,}"),
        ("keys, values", f"{fit.type_k}, {fit.type_v}"),
        *((one.name, f"{amounts.size(one.used)} of {amounts.size(one.free)} free") for one in fit.devices),
    ]
    print_table(("what", "value"), rows)
