"""A table as it was read: text in rows, and what each column turned out to hold."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Unit:
    """What is written around each number of a column: `$` before, `%` or ` kg` behind."""

    before: str = ""
    behind: str = ""

    def around(self, number: str) -> str:
        return f"{self.before}{number}{self.behind}"


@dataclass(frozen=True, slots=True)
class Column:
    """`counts` says how often each text stands in it, `missing` included; `numbers` is the value of
    each text that is a number. `ordered` says that its dates sort as texts do."""

    name: str
    kind: Kind
    counts: Counter[str] = field(repr=False)
    missing: int = 0
    numbers: Mapping[str, Decimal] = field(default_factory=dict, repr=False)
    unit: Unit = Unit()
    ordered: bool = False

    @property
    def written(self) -> str:
        """Its kind, with what stands around its numbers."""
        unit = self.unit.around("").strip()
        return f"{self.kind} in {unit}" if unit else str(self.kind)


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` are as wide as there are columns; `remarks` say what was mended when it was read."""

    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
    remarks: tuple[str, ...] = ()
