"""What commands that show something put on stdout, and what they say where there is nothing."""

import sys
from datetime import datetime

import typer

from ctxchat.display.plain_text import clean


def write(text: str, end: str = "\n") -> None:
    """Write to stdout what a terminal may have of a text, or all of it elsewhere."""
    sys.stdout.write((clean(text) if sys.stdout.isatty() else text) + end)


def print_json(value: object) -> None:
    from ctxchat.service.json_text import json_text

    write(json_text(value, indent=2))


def hint(text: str) -> None:
    """Say on a terminal why nothing was printed."""
    if sys.stderr.isatty():
        typer.echo(text, err=True)


def minutes(time: datetime) -> str:
    return time.isoformat(sep=" ", timespec="minutes")
