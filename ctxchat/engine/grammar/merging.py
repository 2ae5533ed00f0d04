"""Several JSON schemas that must all hold, as one; and schemas that cannot hold together."""

from collections.abc import Iterable
from typing import Any

from ctxchat.domain.errors import UsageError

Schema = dict[str, Any]

ANNOTATIONS = frozenset(
    [
        "title",
        "description",
        "default",
        "examples",
        "example",
        "deprecated",
        "readOnly",
        "writeOnly",
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "definitions",
        "$anchor",
        "contentMediaType",
        "contentEncoding",
        "discriminator",
    ]
)
_HIGHEST = frozenset(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"])
_LOWEST = frozenset(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"])


def merged(schemas: Iterable[Schema], at: str) -> Schema:
    """One schema that holds where all of them do. Raises UsageError where that cannot be said."""
    whole: Schema = {}
    for schema in schemas:
        _check_closed(whole, schema, at)
        for key, value in schema.items():
            if key not in whole or whole[key] == value or key in ANNOTATIONS:
                whole.setdefault(key, value)
            else:
                whole[key] = _both(key, whole[key], value, at)
    return whole


def _both(key: str, one: Any, other: Any, at: str) -> Any:
    if key in _HIGHEST | _LOWEST:
        return max(one, other) if key in _HIGHEST else min(one, other)
    match key:
        case "required":
            return list(dict.fromkeys([*one, *other]))
        case "properties":
            shared = {name: {"allOf": [one[name], other[name]]} for name in one if name in other}
            return {**one, **other, **shared}
        case "items":
            return {"allOf": [one, other]}
        case "enum":
            return [value for value in one if value in other]
        case "type":
            return _both_types(one, other)
        case _:
            raise UsageError(f"{at}: allOf with two of {key} cannot be expressed")


def _both_types(one: Any, other: Any) -> list[str]:
    left, right = types(one), types(other)
    both = [each for each in left if each in right]
    if "integer" in left + right and "integer" not in both and "number" in left + right:
        both.append("integer")
    return both


def types(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _check_closed(one: Schema, other: Schema, at: str) -> None:
    """What one schema forbids, the other may not bring."""
    for closed, open_ in ((one, other), (other, one)):
        more = set(open_.get("properties", ())) - set(closed.get("properties", ()))
        if more and closed.get("additionalProperties", True) is not True and closed:
            raise UsageError(f"{at}: allOf with additionalProperties cannot be expressed")


def are_apart(one: Schema, other: Schema) -> bool:
    """Whether no value that is written for one of them is allowed by the other, as far as can be seen."""
    if _types_apart(one, other) or _values_apart(one, other):
        return True
    if types(one.get("type", "object")) != ["object"] or types(other.get("type", "object")) != ["object"]:
        return False
    mine, others = one.get("properties", {}), other.get("properties", {})
    needed, needed_there = set(one.get("required", ())), set(other.get("required", ()))
    told_apart = (name for name in needed & needed_there if name in mine and name in others)
    if any(_types_apart(mine[n], others[n]) or _values_apart(mine[n], others[n]) for n in told_apart):
        return True
    return bool(needed - set(others) and needed_there - set(mine) and mine and others)


def _types_apart(one: Any, other: Any) -> bool:
    if not (isinstance(one, dict) and isinstance(other, dict) and "type" in one and "type" in other):
        return False
    return not _both_types(one["type"], other["type"])


def _values_apart(one: Any, other: Any) -> bool:
    mine, others = _values(one), _values(other)
    return mine is not None and others is not None and not any(value in others for value in mine)


def _values(schema: Any) -> list[Any] | None:
    """All values of a schema that lists them."""
    if isinstance(schema, dict) and "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if isinstance(schema, dict) and "enum" in schema else None
