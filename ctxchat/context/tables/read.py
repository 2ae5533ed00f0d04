"""Text as a table, by the kind of file its name says it is."""

from pathlib import PurePath

from ctxchat.context.tables.delimited import read_delimited
from ctxchat.context.tables.records import read_json, read_json_lines
from ctxchat.context.tables.table import Table
from ctxchat.domain.errors import UsageError


def read_table(text: str, label: str) -> Table:
    """The table in a text: CSV (its delimiter is found), TSV, JSON or JSON lines by the end of its
    name, else by how it begins. Raises UsageError, which names the line, where it cannot be read."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise UsageError(f"{label} is empty")
    suffix, start = PurePath(label).suffix.lower(), text.lstrip()
    if suffix in (".tsv", ".tab"):
        return read_delimited(text, label, "\t")
    if suffix in (".jsonl", ".ndjson") or (suffix != ".csv" and _in_lines(start)):
        return read_json_lines(text, label)
    if suffix == ".json" or (suffix != ".csv" and start.startswith(("[", "{"))):
        return read_json(text, label)
    return read_delimited(text, label)


def _in_lines(text: str) -> bool:
    """Whether there is a record in the first line, and another one in the next."""
    first, _, rest = text.partition("\n")
    return first.startswith("{") and first.rstrip().endswith("}") and rest.lstrip().startswith("{")
