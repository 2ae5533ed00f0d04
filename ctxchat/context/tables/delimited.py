"""CSV and TSV."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest

from ctxchat.context.tables.columns import column_of, is_number
from ctxchat.context.tables.table import Table
from ctxchat.domain.errors import UsageError

_DELIMITERS = ",;|\t"
_SAMPLE_ROWS, _SAMPLE_CHARACTERS = 50, 65_536


def read_delimited(text: str, label: str, delimiter: str | None = None) -> Table:
    """A table of delimited text. The first row names the columns, unless it is all numbers. Rows
    that are shorter than others are padded, and the table says how many were."""
    delimiter = delimiter or _sniffed(text)
    rows = _rows(text, label, delimiter)
    if not rows:
        raise UsageError(f"{label} holds no rows")
    named = not all(map(is_number, rows[0]))
    header, rows = (rows[0], rows[1:]) if named else ([], rows)
    width = max(map(len, rows), default=len(header))
    width = max(width, len(header))
    remarks = _ragged(rows, len(header) or Counter(map(len, rows)).most_common(1)[0][0])
    for row in rows:
        row.extend([""] * (width - len(row)))
    return table_of(label, header, rows, width, remarks)


def table_of(
    label: str, header: Sequence[str], rows: Sequence[Sequence[str]], width: int, remarks: Sequence[str] = ()
) -> Table:
    """A table of rows of this width; columns without a name, or with another's, get one."""
    names = _names(header, width)
    cells = zip(*rows, strict=True) if rows else ((),) * width
    columns = tuple(column_of(name, column) for name, column in zip(names, cells, strict=True))
    return Table(label, columns, tuple(map(tuple, rows)), tuple(remarks))


def _names(header: Sequence[str], width: int) -> list[str]:
    names: list[str] = []
    for index, name in zip_longest(range(width), header, fillvalue=""):
        plain = " ".join(str(name).split()) or f"column {len(names) + 1}"
        taken = plain
        while taken in names:
            taken = f"{plain} {int(index or 0) + 1}" if taken == plain else f"{taken}'"
        names.append(taken)
    return names


def _rows(text: str, label: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [row for row in reader if row]
    except csv.Error as error:
        if delimiter == "\t":
            return [line.split("\t") for line in text.splitlines() if line]
        raise UsageError(f"{label}, line {reader.line_num:,}: {error}; is a quote not closed?") from None


def _ragged(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    short = sum(len(row) < width for row in rows)
    long = sum(len(row) > width for row in rows)
    remarks = []
    if short:
        remarks.append(f"{short:,} of {len(rows):,} rows have fewer than {width} fields; the rest is empty")
    if long:
        remarks.append(f"{long:,} of {len(rows):,} rows have more than {width} fields; they are kept")
    return remarks


def _sniffed(text: str) -> str:
    """The delimiter that cuts most rows of a sample into equally many fields, and into most."""
    return max(_DELIMITERS, key=lambda delimiter: _regularity(text, delimiter))


def _regularity(text: str, delimiter: str) -> tuple[float, int]:
    widths = Counter(map(len, _sample(text, delimiter)))
    width, rows = widths.most_common(1)[0] if widths else (1, 0)
    return (rows / widths.total(), width) if width > 1 else (0.0, 0)


def _sample(text: str, delimiter: str) -> Iterator[list[str]]:
    """Its first rows; the last of a text that goes on may be cut, and is not among them."""
    start = io.StringIO(text[:_SAMPLE_CHARACTERS], newline="")
    rows = list(islice((row for row in csv.reader(start, delimiter=delimiter) if row), _SAMPLE_ROWS))
    yield from rows if len(text) <= _SAMPLE_CHARACTERS or len(rows) == _SAMPLE_ROWS else rows[:-1]
