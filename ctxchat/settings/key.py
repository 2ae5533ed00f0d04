"""One setting as it is written down."""

import re
from dataclasses import Field, dataclass, field, replace
from typing import Any

from ctxchat.settings.kinds import Kind

FLAGLESS = ("notes", "server")
"""Sections whose keys have a flag only where they name one."""

_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. `flag` is what a person types to set it once, empty where nothing does, `example` a value
    for the example file where there is no default. A `trusted` one says where texts and keys go, or runs a
    command: no file that happens to lie in a folder may set it."""

    section: str
    name: str
    kind: Kind
    doc: str
    default: object
    flag: str
    example: object
    trusted: bool = False

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return f"CTXCHAT_{self.section}_{self.name}".upper()


def key(
    default: object, kind: Kind, doc: str, *, flag: str = "", example: object = None, trusted: bool = False
) -> Any:
    metadata = {"kind": kind, "doc": doc, "flag": flag, "example": example, "trusted": trusted}
    return field(default=default, metadata=metadata)


def key_of_field(section: str, item: Field[Any]) -> Key:
    """What there is to say of a field that `key` made."""
    meta = item.metadata
    own = "" if section in FLAGLESS else "--" + item.name.replace("_", "-")
    flag = meta["flag"] or own
    told = Key(section, item.name, meta["kind"], meta["doc"], item.default, flag, meta["example"])
    return replace(told, trusted=meta["trusted"])


def without_credentials(value: object) -> object:
    """A value as it may be shown: an address without the name and the password in it."""
    return _CREDENTIALS.sub("…@", value) if isinstance(value, str) else value
