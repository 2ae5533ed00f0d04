"""One setting as the schema tells it."""

from dataclasses import Field, dataclass, field
from typing import Any

from ctxchat.settings.kinds import Kind


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. `flag` is what a person types to set it once, `example` a value for the example
    file where there is no default."""

    section: str
    name: str
    kind: Kind
    doc: str
    default: object
    flag: str
    example: object

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return f"CTXCHAT_{self.section}_{self.name}".upper()


def setting(default: object, kind: Kind, doc: str, *, flag: str = "", example: object = None) -> Any:
    """A field of a section that is a setting."""
    return field(default=default, metadata={"kind": kind, "doc": doc, "flag": flag, "example": example})


def key_of_field(section: str, item: Field[Any]) -> Key:
    """What there is to say of a field that `setting` made."""
    meta = item.metadata
    flag = meta["flag"] or "--" + item.name.replace("_", "-")
    return Key(section, item.name, meta["kind"], meta["doc"], item.default, flag, meta["example"])
