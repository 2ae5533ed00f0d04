import csv
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.tables.profile import profile
from ctxchat.context.tables.read import read_table
from ctxchat.context.tables.table import Kind, Table
from ctxchat.domain.errors import UsageError

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8)
HEADED = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)


def shape(table: Table) -> list[tuple[str, str]]:
    return [(column.name, str(column.kind)) for column in table.columns]


def column(*cells: str) -> tuple[Kind, str, list[Decimal]]:
    """The kind, what stands around its numbers, and their values."""
    found = read_table(json.dumps([{"x": cell} for cell in cells]), "a.json").columns[0]
    return found.kind, found.unit.around("").strip(), [found.numbers[c] for c in cells if c in found.numbers]


@given(HEADED, st.sampled_from(",;|\t"))
def test_every_cell_is_read_as_it_was_written(rows: list[list[str]], delimiter: str) -> None:
    names = [f"name {number}" for number in range(len(rows[0]))]
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    table = read_table(written.getvalue(), "a.tsv" if delimiter == "\t" else "a.csv")
    if len(names) > 1:
        assert [list(row) for row in table.rows] == rows
        assert [c.name for c in table.columns] == names


def test_the_delimiter_is_found_and_decimal_commas_are_read() -> None:
    table = read_table("city;price\nBerlin;1.234,50\nRome;2,5\n", "a.csv")
    assert shape(table) == [("city", "text"), ("price", "number")]
    assert table.columns[1].numbers == {"1.234,50": Decimal("1234.50"), "2,5": Decimal("2.5")}


def test_quoted_line_breaks_stay_in_their_cell() -> None:
    assert read_table('a,b\n"one\ntwo",3\n', "a.csv").rows == (("one\ntwo", "3"),)


def test_a_first_row_of_numbers_is_no_header() -> None:
    table = read_table("1,2\n3,4\n", "a.csv")
    assert [c.name for c in table.columns] == ["column 1", "column 2"]
    assert len(table.rows) == 2


def test_columns_without_a_name_or_with_another_ones_get_one() -> None:
    names = [c.name for c in read_table("a,,a,a\n1,2,3,x\n", "a.csv").columns]
    assert len(set(names)) == 4
    assert names[:2] == ["a", "column 2"]


def test_ragged_rows_are_kept_and_told() -> None:
    table = read_table("a,b\n1\n1,2,3\n1,2\n", "a.csv")
    assert table.rows == (("1", "", ""), ("1", "2", "3"), ("1", "2", ""))
    assert "1 of 3 rows have fewer than 2 fields" in table.remarks[0]
    assert "1 of 3 rows have more than 2 fields" in table.remarks[1]


@pytest.mark.parametrize(
    ("cells", "kind", "unit", "numbers"),
    [
        (["1", "-2.50", ""], "number", "", ["1", "-2.50"]),
        (["$1,234.50", "-$3", "N/A"], "number", "$", ["1234.50", "-3"]),
        (["12 %", "3.5 %"], "number", "%", ["12", "3.5"]),
        (["12 kg", "0.5 kg"], "number", "kg", ["12", "0.5"]),
        (["0.1", "1e3", ".5"], "number", "", ["0.1", "1000", "0.5"]),
        (["$5", "€5"], "text", "", []),
        (["007", "123"], "text", "", []),
        (["2024-01-02", "2023-12-31"], "date", "", []),
        (["3/14/2024", "12/1/2023"], "date", "", []),
        (["True", "False", "True"], "boolean", "", []),
        (["yes", "no", ""], "boolean", "", []),
        (["1.2.3", "4.5.6"], "text", "", []),
        (["12", *["words"] * 3], "text", "", []),
        (["", ""], "text", "", []),
    ],
)
def test_a_column_is_what_its_cells_are(cells: list[str], kind: str, unit: str, numbers: list[str]) -> None:
    assert column(*cells) == (kind, unit, list(map(Decimal, numbers)))


def test_what_is_not_a_number_in_a_column_of_numbers_is_told() -> None:
    cells = "\n".join(map(str, range(20)))
    assert "1 not a number, 1 missing" in profile(
        read_table(f"n,m\n{cells.replace(chr(10), ',x' + chr(10))}\nbad,\n,y\n", "a.csv")
    )


@pytest.mark.parametrize(
    ("text", "names", "first"),
    [
        (
            '[{"a": 1.50, "b": {"c": true, "d": {"e": [1.0, "x"]}}}]',
            ["a", "b.c", "b.d"],
            ("1.50", "true", '{"e":[1.0,"x"]}'),
        ),
        ('{"rows": [{"a": null}, {"b": "x"}], "total": 2}', ["a", "b"], ("", "")),
        ('{"a": [1, 2], "b": ["x", "y"]}', ["a", "b"], ("1", "x")),
        ('{"k1": {"a": 1}, "k2": {"a": 2}}', ["key", "a"], ("k1", "1")),
        ('[["a", "b"], [1, 2]]', ["a", "b"], ("1", "2")),
        ("[[1, 2], [3]]", ["column 1", "column 2"], ("1", "2")),
        ("[3, 12345678901234567890.10]", ["value"], ("3",)),
        ('{"a": 1}\n\n{"a": 2, "b": NaN}\n', ["a", "b"], ("1", "")),
    ],
)
def test_json_becomes_a_table(text: str, names: list[str], first: tuple[str, ...]) -> None:
    table = read_table(text, "a.json")
    assert [c.name for c in table.columns] == names
    assert table.rows[0] == first


@pytest.mark.parametrize(
    ("text", "label", "said"),
    [
        ("", "a.csv", "a.csv is empty"),
        ('a,b\n1,2\n"3,4\n', "a.csv", "a.csv, line 3: "),
        ('[{"a": 1},\n {"a": }]', "a.json", "a.json, line 2: "),
        ('{"a": 1}\n{"a"\n', "a.jsonl", "a.jsonl, line 2: "),
        ('{"a": 1, "b": "x"}', "a.json", "a.json is no table"),
        ("[]", "a.json", "a.json holds no rows"),
        ("[" * 100_000, "a.json", "a.json: the JSON is nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, label: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_table(text, label)


@given(st.text(max_size=120), st.sampled_from(["a.csv", "a.tsv", "a.json", "a.jsonl", "stdin"]))
def test_any_text_is_a_table_or_refused(text: str, label: str) -> None:
    try:
        table = read_table(text, label)
    except UsageError:
        return
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert profile(table)
