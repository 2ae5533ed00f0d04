"""Objects and arrays as JSON writes them."""

import json
from typing import Any, Protocol

from ctxchat.domain.errors import UsageError
from ctxchat.engine.grammar.gbnf import MAX_REPETITION
from ctxchat.engine.grammar.merging import Schema
from ctxchat.engine.grammar.rule_book import RuleBook, either, literal
from ctxchat.engine.grammar.strings import CHARACTER, QUOTE


class Converter(Protocol):
    """Writes rules for the schemas within a schema."""

    book: RuleBook
    space: str

    def rule(self, schema: Any, at: str) -> str: ...

    def refused(self, at: str, what: str) -> UsageError: ...


def object_body(converter: Converter, schema: Schema, at: str) -> str:
    """A body for objects: named properties in their order, or any names where none are named."""
    properties: dict[str, Any] = {**schema.get("properties", {})}
    required = list(schema.get("required", ()))
    others = schema.get("additionalProperties", True)
    for name in required:
        if name not in properties and others is False:
            raise UsageError(f"{at}: {name} is required, and not allowed")
        properties.setdefault(name, others)
    if not properties and others is not False:
        return _map_body(converter, schema, others, at)
    least, most = schema.get("minProperties", 0), schema.get("maxProperties")
    if least > len(required) or (most is not None and most < len(properties)):
        raise converter.refused(at, "minProperties or maxProperties beside optional properties")
    members = [
        (_member(converter, name, each, at), name in required)
        for name, each in properties.items()
        if each is not False or name in required
    ]
    space = converter.space
    return f'"{{" {space} {_members(converter, members)} {space} "}}"' if members else '"{" "}"'


def _member(converter: Converter, name: str, schema: Any, at: str) -> str:
    value = converter.rule(schema, f"{at}/properties/{name}")
    key = literal(json.dumps(name, ensure_ascii=False))
    return f'{key} ":" {converter.space} {value}'


def _members(converter: Converter, members: list[tuple[str, bool]]) -> str:
    """Members in their order, the optional ones or not, with commas between them only.

    What follows a member is one rule, which all ways to come there share.
    """
    book = converter.book
    comma = f'"," {converter.space}'
    behind: list[str] = [""]
    for member, required in reversed(members):
        rest = behind[0]
        one = f"{comma} {member}" if required else f"({comma} {member})?"
        behind.insert(0, book.add("members", f"{one} {rest}".strip()))
    first = next((i for i, (_, required) in enumerate(members) if required), None)
    last = len(members) - 1 if first is None else first
    ways = [f"{members[i][0]} {behind[i + 1]}".strip() for i in range(last + 1)]
    return f"({either(ways)}){'' if first is not None else '?'}"


def _map_body(converter: Converter, schema: Schema, others: Any, at: str) -> str:
    """Any names, and values of one kind."""
    value = converter.rule(others, f"{at}/additionalProperties")
    key = converter.book.add("key", f"{QUOTE} {converter.book.add('character', CHARACTER)}+ {QUOTE}")
    pair = converter.book.add("pair", f'{key} ":" {converter.space} {value}')
    least, most = schema.get("minProperties", 0), schema.get("maxProperties")
    if least > 1:
        raise converter.refused(at, "minProperties beside names that may repeat")
    return _between(converter, "{}", pair, least, most, at)


def array_body(converter: Converter, schema: Schema, at: str) -> str:
    """A body for arrays: the first items by `prefixItems`, all of them, the others by `items`."""
    first, others = schema.get("prefixItems", []), schema.get("items", True)
    if isinstance(others, list):
        first, others = others, schema.get("additionalItems", True)
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if not first:
        if others is False:
            return '"[" "]"'
        item = converter.rule(others, f"{at}/items")
        return _between(converter, "[]", item, least, most, at)
    if most is not None and most < len(first):
        first = first[:most]
    rules = [converter.rule(each, f"{at}/prefixItems/{i}") for i, each in enumerate(first)]
    if least > len(first):
        rules += [converter.rule(others, f"{at}/items")] * (least - len(first))
    items = f' "," {converter.space} '.join(rules)
    return f'"[" {converter.space} {items} {converter.space} "]"' if rules else '"[" "]"'


def _between(converter: Converter, brackets: str, part: str, least: int, most: int | None, at: str) -> str:
    """So many parts between brackets, with commas between them."""
    if most is not None and most < least:
        raise UsageError(f"{at}: no number of items is allowed")
    if least > MAX_REPETITION:
        raise converter.refused(at, f"more than {MAX_REPETITION:,} items")
    opening, closing = (literal(bracket) for bracket in brackets)
    if most == 0:
        return f"{opening} {closing}"
    more = converter.book.add("more", f'"," {converter.space} {part}')
    most = None if most is None else min(most, MAX_REPETITION)
    times = f"{{{max(least - 1, 0)},{'' if most is None else most - 1}}}"
    parts = f"{part} {more}{times}"
    inner = parts if least else f"({parts})?"
    return f"{opening} {converter.space} {inner} {converter.space} {closing}"
