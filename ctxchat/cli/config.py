"""`ctxchat config`: settings, and where each came from."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ctxchat.domain.errors import UsageError

app = typer.Typer(
    help="Show, find, edit and check the settings.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("show")
def show(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show every setting with its value and where the value came from."""
    from ctxchat.cli.tables import print_table
    from ctxchat.service.json_text import json_text
    from ctxchat.settings.example import toml_value
    from ctxchat.settings.key import without_credentials
    from ctxchat.settings.load import load_settings
    from ctxchat.settings.schema import value_of

    settings = load_settings()
    found = [
        (path, without_credentials(value_of(settings, path)), origin)
        for path, origin in settings.origins.items()
    ]
    if json:
        print(json_text([{"key": key, "value": value, "origin": origin} for key, value, origin in found], 2))
    else:
        rows = [(key, "–" if value is None else toml_value(value), origin) for key, value, origin in found]
        print_table(("key", "value", "origin"), rows)


@app.command("path")
def path() -> None:
    """Print the path of your settings file, existing or not."""
    from ctxchat.settings.load import user_file

    print(user_file())


@app.command("edit")
def edit() -> None:
    """Open your settings file in $VISUAL or $EDITOR, and check it afterwards."""
    from ctxchat.display.editor import edit_file
    from ctxchat.settings.load import load_settings, user_file

    file = user_file()
    if not file.exists():
        _make(file)
    edit_file(file)
    load_settings()


@app.command("check")
def check() -> None:
    """Check all sources of settings; every problem is told with its line."""
    from ctxchat.settings.load import load_settings, settings_files

    load_settings()
    for file in settings_files(os.environ, Path.cwd()):
        print(f"{file}: ok")


def _make(file: Path) -> None:
    """Write the example as a first settings file, for the person alone."""
    from ctxchat.locations import private_folder
    from ctxchat.settings.example import example_toml

    private_folder(file.parent)
    try:
        file.touch(mode=0o600)
        file.write_text(example_toml(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
