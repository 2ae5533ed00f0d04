"""JSON and JSON lines."""

import json
from collections.abc import Iterator
from typing import Any

from ctxchat.context.tables.delimited import table_of
from ctxchat.context.tables.table import Table
from ctxchat.domain.errors import UsageError


class _Literal(str):
    """A number as it was written, so that no digit of it changes."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_float=_Literal, parse_int=_Literal, parse_constant=_Literal)


def read_json(text: str, label: str) -> Table:
    """A table of a JSON text: a list of records, records by key, or lists by column; also where
    one of these is the only list in an object."""
    try:
        found = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{label}, line {error.lineno:,}: {error.msg}") from None
    except RecursionError:
        raise UsageError(f"{label}: the JSON is nested too deeply") from None
    return _table(list(_records(found, label)), label)


def read_json_lines(text: str, label: str) -> Table:
    """A table of one record a line."""
    records: list[dict[str, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            records.append(_flat(_DECODER.decode(line.strip())))
        except json.JSONDecodeError as error:
            raise UsageError(f"{label}, line {number:,}: {error.msg}") from None
        except RecursionError:
            raise UsageError(f"{label}, line {number:,}: the JSON is nested too deeply") from None
    return _table(records, label)


def _table(records: list[dict[str, str]], label: str) -> Table:
    names = list(dict.fromkeys(name for record in records for name in record))
    if not names:
        raise UsageError(f"{label} holds no rows")
    rows = [[record.get(name, "") for name in names] for record in records]
    partial = sum(len(record) < len(names) for record in records)
    remarks = (
        [f"{partial:,} of {len(rows):,} records lack some of the {len(names)} fields"] if partial else []
    )
    return table_of(label, names, rows, len(names), remarks)


def _records(found: Any, label: str) -> Iterator[dict[str, str]]:
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list)]
        records = [value for value in lists if value and all(isinstance(item, dict) for item in value)]
        if lists and len(lists) == len(found) and len(set(map(len, lists))) == 1 and not records:
            found = [dict(zip(found, row, strict=True)) for row in zip(*lists, strict=True)]
        elif len(records) == 1:
            found = records[0]
        elif found and all(isinstance(value, dict) for value in found.values()):
            found = [{"key": key, **value} for key, value in found.items()]
    if not isinstance(found, list):
        raise UsageError(
            f"{label} is no table: a list of records, records by key, or lists by column is read"
        )
    if found and all(isinstance(item, list) for item in found):
        found = _headed(found)
    yield from map(_flat, found)


def _headed(rows: list[list[Any]]) -> list[dict[str, Any]]:
    """Rows as lists: the first names the columns where it is all text."""
    named = all(type(name) is str for name in rows[0]) and len(set(rows[0])) == len(rows[0])
    width = max(map(len, rows))
    names = rows[0] if named else []
    names = [*names, *(f"column {number + 1}" for number in range(len(names), width))]
    return [dict(zip(names, row, strict=False)) for row in rows[named:]]


def _flat(record: Any) -> dict[str, str]:
    """A record as texts, what is nested once under dotted names and what is deeper as JSON."""
    if not isinstance(record, dict):
        return {"value": _text(record)}
    flat: dict[str, str] = {}
    for name, value in record.items():
        if type(value) is str:
            flat[name] = value
        elif isinstance(value, dict):
            flat.update((f"{name}.{inner}", _text(deeper)) for inner, deeper in value.items())
        else:
            flat[name] = _text(value)
    return flat


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    return "" if value is None else _compact(value)


def _compact(value: Any) -> str:
    if isinstance(value, _Literal):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inner = ",".join(
            f"{json.dumps(key, ensure_ascii=False)}:{_compact(item)}" for key, item in value.items()
        )
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_compact, value))}]"
    return json.dumps(value, ensure_ascii=False)
