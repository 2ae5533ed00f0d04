"""Flags that set `section.key` of the settings for one run."""

from collections.abc import Callable
from dataclasses import field, fields
from typing import Any

import typer

from ctxchat.settings.schema import KEYS

_SETS = "sets"
_TURNS_OFF = "turns off"


def sets(path: str) -> dict[str, str]:
    """The metadata of a flag that sets `section.key`."""
    return {_SETS: path}


def setting(path: str) -> Any:
    """The default of a flag that sets `section.key`: nothing, so that a weaker source holds."""
    return field(default=None, metadata=sets(path))


def turns_off(path: str) -> Any:
    """The default of a switch that turns `section.key` off."""
    return field(default=False, metadata={_TURNS_OFF: path})


def setting_option(
    path: str, *names: str, metavar: str | None = None, completion: Callable[[str], list[str]] | None = None
) -> Any:
    """The option of a setting, helped by the setting's own words."""
    return typer.Option(*names, metavar=metavar, help=KEYS[path].doc, autocompletion=completion)


def settings_typed(flags: Any) -> dict[str, object]:
    """What the flags of a dataclass set, by `section.key`; one that was not typed sets nothing."""
    typed: dict[str, object] = {}
    for item in fields(flags):
        value = getattr(flags, item.name)
        if _SETS in item.metadata and value is not None and value != []:
            typed[item.metadata[_SETS]] = value
        if _TURNS_OFF in item.metadata and value:
            typed[item.metadata[_TURNS_OFF]] = False
    return typed
