"""`ctxchat models`: the GGUF files that are known here, and how more come."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote as shell_word
from typing import TYPE_CHECKING, Annotated

import typer

from ctxchat.cli.completing import model_names
from ctxchat.cli.fitting import FitFlags, show_fit
from ctxchat.cli.parsing import takes
from ctxchat.cli.printing import hint, print_json
from ctxchat.display import amounts
from ctxchat.domain.errors import ModelError

if TYPE_CHECKING:
    from ctxchat.domain.model import ModelFile

app = typer.Typer(
    help="List models, look into one, see how it fits, choose one, fetch one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reference = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A path, or a name from `models list`, such as server:NAME.",
        autocompletion=model_names,
    ),
]
Remote = Annotated[
    str,
    typer.Argument(
        metavar="ORG/REPO[:QUANT]|URL",
        help="A repository of the Hugging Face hub, or the address of a .gguf file.",
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Make no connection.")]


@app.command("list")
def list_models(json: AsJson = False) -> None:
    """List the models that can be named; servers are asked nothing."""
    from ctxchat.cli.tables import print_table
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    models = wiring.model_service(load_settings()).listing()
    if json:
        print_json([_record(model) for model in models])
    elif models:
        print_table(_HEADER, [_row(model) for model in models])
    else:
        hint("there are no model files: `ctxchat models pull ORG/REPO` gets one")


@app.command("info")
def show_model(model: Reference, json: AsJson = False) -> None:
    """Show one model and the metadata of its file, or what its server says now."""
    from ctxchat.cli.tables import print_table
    from ctxchat.domain.model import SERVER
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    file, metadata = wiring.model_service(load_settings()).info(model)
    if json:
        print_json({**_record(file), "metadata": dict(metadata)})
    else:
        rows = [(key, amounts.DASH if value is None else str(value)) for key, value in asdict(file).items()]
        if file.source != SERVER:
            rows.append(("tokenizer", _tokenizer(metadata)))
            rows.append(("template does", _behaviour(file.path)))
        print_table(("key", "value"), rows + [(key, str(value)) for key, value in metadata.items()])


@app.command("use")
def use_model(model: Reference) -> None:
    """Make a model the one that is used, in your settings file."""
    from ctxchat.cli.failures import say
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    service = wiring.model_service(load_settings())
    used = service.use(model)
    print(f"{service.settings_file}: model.path is {used}")
    now = load_settings()
    if now.model.path != used:
        say(f"{now.origins['model.path']} is stronger, and says {now.model.path}")


@app.command("pull")
def pull_model(model: Remote, offline: Offline = False) -> None:
    """Fetch a model from the Hugging Face hub or an address, and print its path.

    Where no quantization is named, the best that fits into free memory is chosen. The same command goes on
    where it was stopped.
    """
    from ctxchat.cli.failures import say
    from ctxchat.cli.pulling import follow
    from ctxchat.service import wiring

    finished = follow(wiring.model_puller(offline=offline).pull(model))
    if not finished.fetched:
        say("it is here already")
    elif not finished.verified:
        say("the server told no checksum, so the header alone was checked")
    print(finished.path)
    say(f"`ctxchat models use {shell_word(finished.path)}` makes it the one that answers")


app.command("fit")(takes(FitFlags)(show_fit))


_HEADER = (
    "name",
    "family",
    "parameters",
    "quantization",
    "size",
    "window",
    "KV a token",
    "template",
    "source",
    "path",
)


def _record(model: "ModelFile") -> dict[str, object]:
    """A model in JSON, whose fields are a contract."""
    record = asdict(model)
    del record["template"], record["reuse"]
    return record


def _tokenizer(metadata: dict[str, object]) -> str:
    told = (metadata.get(f"tokenizer.ggml.{key}") for key in ("model", "pre", "tokens"))
    return ", ".join(str(value) for value in told if value is not None) or amounts.DASH


def _behaviour(path: str) -> str:
    from ctxchat.service import wiring
    from ctxchat.service.doctor import template_words

    try:
        return template_words(wiring.template_behaviour(Path(path)))
    except ModelError as error:
        return str(error)


def _row(model: "ModelFile") -> tuple[str, ...]:
    if model.error:
        dashes = [amounts.DASH] * 3
        return (model.name, *dashes, amounts.size(model.bytes), *dashes, model.source, model.error)
    return (
        model.name,
        model.architecture or amounts.DASH,
        amounts.count(model.parameters),
        model.quantization or amounts.DASH,
        amounts.size(model.bytes),
        amounts.count(model.window),
        amounts.size(model.kv_bytes_per_token),
        model.template or amounts.DASH,
        model.source,
        model.path,
    )
