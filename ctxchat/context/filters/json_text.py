"""JSON in fewer characters: keys of equal objects once, as the head of a table; no space between."""

import json
import re
from collections.abc import Iterator

from ctxchat.context.filters.lines import Lines

RULE = "JSON written compactly"

FEWEST_ROWS = 3
WIDEST = 160
"""Characters up to which a value stays on one line."""

_BARE = re.compile(r"[^\W\d_][^\",\n\r\t\\]*")
_LITERALS = frozenset({"true", "false", "null"})
_NO_JSON = (ValueError, RecursionError)


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def compact_json(text: str) -> Lines | None:
    """A JSON text as lines, None for what is none. Nothing is lost but the space between values."""
    try:
        return Lines.of(list(_lines(_read(text), "", "", "")))
    except _NO_JSON:
        return None


def compact_json_lines(texts: list[str]) -> Lines | None:
    """One JSON value a line as a table, or a line each; None where a line is no JSON."""
    try:
        values = [_read(text) for text in texts if text.strip()]
        return Lines.of(list(_elements(values, "")))
    except _NO_JSON:
        return None


def _read(text: str) -> object:
    return json.loads(
        text,
        object_pairs_hook=_unique,
        parse_int=_Number,
        parse_float=_Number,
        parse_constant=_Number,
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _lines(value: object, indent: str, before: str, after: str) -> Iterator[str]:
    """A value over as many lines as it needs, each level one space further in."""
    nested = isinstance(value, dict | list) and bool(value)
    if not nested or (_room_left(value, WIDEST) >= 0 and not _is_table(value)):
        yield f"{indent}{before}{_compact(value)}{after}"
    elif isinstance(value, dict):
        yield f"{indent}{before}{{"
        last = len(value) - 1
        for place, (key, item) in enumerate(value.items()):
            yield from _lines(item, indent + " ", f"{_quoted(key)}:", "," if place < last else "")
        yield f"{indent}}}{after}"
    elif isinstance(value, list):
        yield f"{indent}{before}["
        yield from _elements(value, indent + " ")
        yield f"{indent}]{after}"


def _elements(values: list[object], indent: str) -> Iterator[str]:
    keys = _table_keys(values)
    if keys is None:
        last = len(values) - 1
        for place, value in enumerate(values):
            yield from _lines(value, indent, "", "," if indent and place < last else "")
        return
    yield f"{indent}{len(values):,} rows of {','.join(map(_cell, keys))}:"
    for value in values:
        assert isinstance(value, dict)
        yield f"{indent} " + ",".join(_cell(value[key]) if key in value else "" for key in keys)


def _is_table(value: object) -> bool:
    return isinstance(value, list) and _table_keys(value) is not None


def _table_keys(values: list[object]) -> list[str] | None:
    """The keys of objects that are alike, None where they are not: of the cells at least four in five
    are to be filled."""
    if len(values) < FEWEST_ROWS:
        return None
    keys: dict[str, None] = {}
    filled = 0
    for value in values:
        if not isinstance(value, dict) or not value:
            return None
        keys.update(dict.fromkeys(value))
        filled += len(value)
        if filled * 5 < len(keys) * 4:
            return None
    return list(keys) if filled * 5 >= len(keys) * len(values) * 4 else None


def _cell(value: object) -> str:
    """A value in a row: quotes are left out where nothing else could be meant."""
    plain = isinstance(value, str) and not isinstance(value, _Number)
    if plain and _BARE.fullmatch(str(value)) and value not in _LITERALS and str(value).strip() == value:
        return str(value)
    return _compact(value)


def _room_left(value: object, room: int) -> int:
    """What a value leaves of so many characters; it stops looking where nothing is left."""
    if isinstance(value, dict | list):
        room -= 2
        for item in value.items() if isinstance(value, dict) else value:
            if room < 0:
                break
            room = _room_left(list(item) if isinstance(item, tuple) else item, room)
        return room
    return room - len(value) - 3 if isinstance(value, str) else room - 5


def _compact(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(key)}:{_compact(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    if isinstance(value, _Number):
        return str(value)
    return _quoted(value)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
