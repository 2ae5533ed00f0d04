"""Rules in GBNF while they are written."""

import re

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9]+")
_ESCAPED = re.compile(r'[\\"\x00-\x1f\x7f-\x9f]')


class RuleBook:
    """Rules by their names; two of the same body are one."""

    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def add(self, name: str, body: str) -> str:
        """A rule of this body, named like this if that is free; its name."""
        known = self._names.get(body)
        return known if known is not None else self.define(self.reserve(name), body)

    def reserve(self, name: str) -> str:
        """A free name like this, for a rule that will be defined."""
        base = _NOT_IN_NAMES.sub("-", name).strip("-") or "part"
        name, number = base, 2
        while name in self._bodies:
            name, number = f"{base}-{number}", number + 1
        self._bodies[name] = ""
        return name

    def define(self, name: str, body: str) -> str:
        """Give a reserved name its body; the name."""
        self._bodies[name] = body
        self._names.setdefault(body, name)
        return name

    def text(self) -> str:
        """All rules in GBNF."""
        return "".join(f"{name} ::= {body}\n" for name, body in self._bodies.items())


def literal(text: str) -> str:
    """A text as GBNF writes it."""
    return '"' + _ESCAPED.sub(lambda found: _escape(found[0]), text) + '"'


def either(alternatives: list[str]) -> str:
    return " | ".join(alternatives)


def _escape(character: str) -> str:
    return f"\\{character}" if character in '\\"' else f"\\x{ord(character):02X}"
