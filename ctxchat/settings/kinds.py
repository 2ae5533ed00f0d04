"""What a setting may be. Each kind reads text, checks a TOML value, and says what it wants.

`read` takes the text of a flag or a variable, `accept` a value that has its type already; both
return the value as the program uses it and raise ValueError where it is something else.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class RefusedError(ValueError):
    """What is wrong with a value, in words of its own and without the value."""


class Kind(Protocol):
    @property
    def wants(self) -> str:
        """What is expected, as the end of "must be …"."""

    def read(self, text: str) -> object: ...

    def accept(self, value: object) -> object: ...


def _span(least: float | None, most: float | None) -> str:
    match least, most:
        case None, None:
            return ""
        case _, None:
            return f" of at least {_plain(least)}"
        case None, _:
            return f" of at most {_plain(most)}"
        case _:
            return f" from {_plain(least)} to {_plain(most)}"


def _plain(bound: float | None) -> str:
    """Every digit of a bound: the largest is a seed of 32 bits."""
    return f"{bound:.10g}"


def _within(value: float, least: float | None, most: float | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds."""

    least: int | None = None
    most: int | None = None

    @property
    def wants(self) -> str:
        return f"a whole number{_span(self.least, self.most)}"

    def read(self, text: str) -> int:
        return self.accept(int(text))

    def accept(self, value: object) -> int:
        if type(value) is int and _within(value, self.least, self.most):
            return value
        raise ValueError


@dataclass(frozen=True, slots=True)
class Real:
    """A number within bounds."""

    least: float | None = None
    most: float | None = None

    @property
    def wants(self) -> str:
        return f"a number{_span(self.least, self.most)}"

    def read(self, text: str) -> float:
        return self.accept(float(text))

    def accept(self, value: object) -> float:
        number = float(value) if type(value) in (int, float) else math.nan  # type: ignore[arg-type]
        if math.isfinite(number) and _within(number, self.least, self.most):
            return number
        raise ValueError


class Size:
    """Bytes: a whole number, or one with a unit, like 20GB or 1.5 TB."""

    wants = "a size like 500MB or 20GB, or 0"

    def read(self, text: str) -> int:
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)b?\s*", text.lower())
        if not found:
            raise ValueError
        return int(float(found[1]) * 1000 ** " kmgt".index(found[2] or " "))

    def accept(self, value: object) -> int:
        if isinstance(value, str):
            return self.read(value)
        return Whole(least=0).accept(value)


class Switch:
    wants = "true or false"

    def read(self, text: str) -> bool:
        words = {
            "true": True,
            "on": True,
            "yes": True,
            "1": True,
            "false": False,
            "off": False,
            "no": False,
            "0": False,
        }
        if text.lower() in words:
            return words[text.lower()]
        raise ValueError

    def accept(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        raise ValueError


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few words."""

    choices: tuple[str, ...]

    @property
    def wants(self) -> str:
        return "one of " + ", ".join(self.choices)

    def read(self, text: str) -> str:
        return self.accept(text)

    def accept(self, value: object) -> str:
        if isinstance(value, str) and value in self.choices:
            return value
        raise ValueError


@dataclass(frozen=True, slots=True)
class Text:
    """Any text; a leading `~` is the home folder where `path` is set."""

    path: bool = False
    wants: str = "text"

    def read(self, text: str) -> str:
        return self.accept(text)

    def accept(self, value: object) -> str:
        if isinstance(value, str):
            return _expanded(value) if self.path else value
        raise ValueError


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts. A variable or a flag holds one text, or a list as TOML writes it."""

    path: bool = False
    wants: str = "a list of texts"

    def read(self, text: str) -> tuple[str, ...]:
        return self.accept(_toml_list(text) if text.startswith("[") else [text])

    def accept(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError
        return tuple(_expanded(item) if self.path else item for item in value)


class Shares:
    """How much of a model each device takes, in any unit: `3,1`."""

    wants = "a list of numbers of at least 0, like 3,1"

    def read(self, text: str) -> tuple[float, ...]:
        return self.accept([float(share) for share in text.replace("/", ",").split(",")])

    def accept(self, value: object) -> tuple[float, ...]:
        if isinstance(value, list):
            return tuple(Real(least=0).accept(share) for share in value)
        raise ValueError


class Layers:
    """A number of layers, or a word for one that is found at load."""

    wants = "auto, all, or a whole number of at least 0"

    def read(self, text: str) -> str | int:
        return self.accept(text if text in ("auto", "all") else int(text))

    def accept(self, value: object) -> str | int:
        if value in ("auto", "all"):
            return str(value)
        return Whole(least=0).accept(value)


def _expanded(path: str) -> str:
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError as error:
        raise ValueError from error


def _toml_list(text: str) -> object:
    import tomllib

    return tomllib.loads(f"list = {text}")["list"]
