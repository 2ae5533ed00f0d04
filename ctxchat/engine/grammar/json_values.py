"""Values that a JSON schema lists, and how an answer writes them."""

import json
from collections.abc import Collection
from decimal import Decimal
from types import NoneType
from typing import Any

_KINDS = {
    bool: "boolean",
    int: "integer",
    Decimal: "number",
    str: "string",
    NoneType: "null",
    list: "array",
    dict: "object",
}


def is_of(value: Any, kinds: Collection[str]) -> bool:
    """Whether a value that was read is of one of these types."""
    kind = _KINDS[type(value)]
    return kind in kinds or (kind == "integer" and "number" in kinds)


def in_json(value: Any) -> str:
    """A value as an answer writes it; numbers as they are written in the schema."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{in_json(key)}: {in_json(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
