"""`ctxchat models`: the GGUF files that are known here."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ctxchat.cli.printing import print_json
from ctxchat.display import amounts

if TYPE_CHECKING:
    from ctxchat.domain.model import ModelFile

app = typer.Typer(
    help="List GGUF models, look into one, choose one.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reference = Annotated[str, typer.Argument(metavar="MODEL", help="A path, or a name from `models list`.")]


@app.command("list")
def list_models(json: AsJson = False) -> None:
    """List the models that can be named."""
    from ctxchat.cli.tables import print_table
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    models = wiring.model_library(load_settings()).list()
    if json:
        print_json([asdict(model) for model in models])
    else:
        header = (
            "name",
            "architecture",
            "parameters",
            "quantization",
            "size",
            "window",
            "KV a token",
            "path",
        )
        print_table(header, [_row(model) for model in models])


@app.command("info")
def show_model(model: Reference, json: AsJson = False) -> None:
    """Show one model and the metadata of its file."""
    from ctxchat.cli.tables import print_table
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    file, metadata = wiring.model_library(load_settings()).info(model)
    if json:
        print_json({**asdict(file), "metadata": dict(metadata)})
    else:
        rows = [(key, amounts.DASH if value is None else str(value)) for key, value in asdict(file).items()]
        print_table(("key", "value"), rows + [(key, str(value)) for key, value in metadata.items()])


@app.command("use")
def use_model(model: Reference) -> None:
    """Make a model the one that is used, in your settings file."""
    from ctxchat.cli.failures import say
    from ctxchat.service import models, wiring
    from ctxchat.settings.load import load_settings, user_file

    path = wiring.model_library(load_settings()).usable(model)
    settings_file = user_file()
    models.use_model(path, settings_file)
    print(f"{settings_file}: model.path is {path.absolute()}")
    now = load_settings()
    if now.model.path != str(path.absolute()):
        say(f"{now.origins['model.path']} is stronger, and says {now.model.path}")


def _row(model: "ModelFile") -> tuple[str, ...]:
    if model.error:
        return (model.name, *[amounts.DASH] * 3, amounts.size(model.bytes), *[amounts.DASH] * 2, model.error)
    return (
        model.name,
        model.architecture or amounts.DASH,
        amounts.count(model.parameters),
        model.quantization or amounts.DASH,
        amounts.size(model.bytes),
        amounts.count(model.window),
        amounts.size(model.kv_bytes_per_token),
        model.path,
    )
