"""The rules that do not look at the question."""

import json
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.filters.diffs import trimmed
from ctxchat.context.filters.json_text import compact_json, compact_json_lines
from ctxchat.context.filters.kinds import Kind, kind_of
from ctxchat.context.filters.lines import Lines
from ctxchat.context.filters.logs import folded
from ctxchat.context.filters.repeats import without_repeats
from ctxchat.context.filters.templates import Templates, masked, severity, signatures
from ctxchat.context.filters.terminal_codes import without_terminal_codes
from ctxchat.context.filters.units import cut
from tests.support.floods import FLOODS


def lines(text: str) -> Lines:
    return Lines.of(dedent(text).strip("\n").split("\n"))


def test_terminal_codes_leave_what_a_terminal_would_show() -> None:
    progress = "\x1b[32mok\x1b[0m\r\n 10%\r 50%\r100% done\n\x1b]0;title\x07b\bbold\n━━━━━━━━━━━━━ 3 MB\n"
    assert without_terminal_codes(progress) == "ok\n100% done\nbold\n━━━ 3 MB\n"


@given(st.text())
def test_terminal_codes_leave_the_lines_of_a_text(text: str) -> None:
    assert without_terminal_codes(text).count("\n") == text.count("\n")


def test_repeated_lines_and_blocks_stand_once_with_a_count() -> None:
    trace = ["Retrying the connection to the server", "  at connect()", "  at main()"]
    result = without_repeats(["start", *trace * 5, "waiting for an answer" * 2, *["waiting" * 9] * 4, "end"])
    assert result.text.split("\n") == [
        "start",
        *trace,
        "[… the 3 lines above 4 more times]",
        "waiting for an answer" * 2,
        "waiting" * 9,
        "[… the line above 3 more times]",
        "end",
    ]
    assert sum(result.stands) == 1 + 15 + 1 + 4 + 1


@given(st.lists(st.sampled_from(["a" * 30, "b" * 30, "c" * 30, ""]), max_size=60))
def test_each_line_is_counted_once_however_it_repeats(texts: list[str]) -> None:
    assert sum(without_repeats(texts).stands) == len(texts)


@pytest.mark.parametrize(
    ("line", "mask"),
    [
        ("2026-11-22T10:11:12.123Z took 12 ms", "<time> took <n> ms"),
        ("Nov  2 10:11:12 host x[31]: from 10.0.0.1:443", "<time> host x[<n>]: from <n>"),
        ("GET https://a.b/c?d=1 by 123e4567-e89b-12d3-a456-426614174000", "GET <url> by <n>"),
        ("open /usr/lib/x.so at 0xdeadbeef, commit 9f8e7d6c5", "open <path> at <n>, commit <n>"),
    ],
)
def test_what_varies_is_masked(line: str, mask: str) -> None:
    assert masked(line) == mask


def test_lines_that_differ_in_names_are_alike() -> None:
    texts = ["Collecting numpy", "Collecting scipy", "user ann-1 logged in now", "user b.c logged in now"]
    texts += ["user b.c logged out now"]
    found = Templates().of(texts, signatures("\n".join(texts)))
    assert [template.text for template in found] == [
        "Collecting <*>",
        "Collecting <*>",
        "user <*> logged in now",
        "user <*> logged in now",
        "user b.c logged out now",
    ]


def test_templates_past_the_bound_join_others() -> None:
    texts = [f"{'x' * index} {'y' * index}" for index in range(300)]
    found = Templates(most=10).of(texts, signatures("\n".join(texts)))
    assert len(set(found)) <= 12


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("it failed", 2),
        ("ValueError: x", 2),
        ("build: 0 errors", 0),
        ("cc -Werror x.c", 0),
        ("Warning: old", 1),
    ],
)
def test_errors_and_warnings_are_told_from_the_rest(line: str, expected: int) -> None:
    assert severity(line) == expected


def test_a_log_is_folded_around_what_is_rare() -> None:
    texts = [
        f"10:00:{index % 60:02} INFO request {index} was served in {index % 9} ms" for index in range(400)
    ]
    trace = [
        "10:03:00 ERROR request 200 broke",
        "Traceback (most recent call last):",
        '  File "a.py", line 3, in serve',
        "KeyError: 'user'",
    ]
    texts[200:200] = trace
    texts[300:300] = trace
    result = folded(Lines.of(texts))
    written = result.text
    assert sum(result.stands) == len(texts)
    assert written.startswith("\n".join(texts[:10]))
    assert written.endswith("\n".join(texts[-20:]))
    assert "\n".join([*texts[198:200], *trace, *texts[204:205]]) in written
    assert "[… 188 lines like this: <time> INFO request <n> was served in <n> ms]" in written
    assert written.count("KeyError") == 2
    assert len(result.texts) < 60


def test_an_error_said_five_hundred_times_stands_a_few_times() -> None:
    texts = [
        f"10:00:{index % 60:02} {'ERROR cannot reach 10.0.0.' if index % 2 else 'INFO ping '}{index}"
        for index in range(1000)
    ]
    assert folded(Lines.of(texts)).text.count("cannot reach") < 30


DIFF = """
    diff --git a/src/a.py b/src/a.py
    index 111..222 100644
    --- a/src/a.py
    +++ b/src/a.py
    @@ -1,9 +1,9 @@
     one
     two
     three
    -four
    +FOUR
     five
     six
     seven
     eight
    -nine
    +NINE
    diff --git a/poetry.lock b/poetry.lock
    --- a/poetry.lock
    +++ b/poetry.lock
    @@ -1,2 +1,3 @@
     x
    -y
    +z
    +w
"""


def test_a_diff_keeps_its_changes_and_a_line_around_each() -> None:
    expected = """
        [… unchanged lines more than 1 away from a change are left out]
        diff --git a/src/a.py b/src/a.py
        index 111..222 100644
        --- a/src/a.py
        +++ b/src/a.py
        @@ -1,9 +1,9 @@
         three
        -four
        +FOUR
         five
        [… 2 lines]
         eight
        -nine
        +NINE
        diff --git a/poetry.lock b/poetry.lock
        --- a/poetry.lock
        +++ b/poetry.lock
        [… 5 lines of a lock file or a generated one: +2 −1]
    """
    result = trimmed(lines(DIFF))
    assert result.text == dedent(expected).strip("\n")
    assert sum(result.stands) == len(lines(DIFF).texts)


def test_a_binary_patch_is_counted() -> None:
    text = "diff --git a/x.png b/x.png\nGIT binary patch\nliteral 99\nzcmV\nzcmW\n\ndiff --git a/y b/y\n"
    assert "[… 5 lines of a binary patch]\ndiff --git a/y b/y" in trimmed(Lines.of(text.split("\n"))).text


def test_objects_alike_become_a_table_wherever_they_stand() -> None:
    people = [{"name": f"n{index}", "age": index, "note": "1, 2"} for index in range(4)]
    result = compact_json(json.dumps({"kind": "people", "people": people, "x": [1, 2.50, None]}))
    assert result is not None
    assert result.text == dedent(
        """\
        {
         "kind":"people",
         "people":[
          4 rows of name,age,note:
           n0,0,"1, 2"
           n1,1,"1, 2"
           n2,2,"1, 2"
           n3,3,"1, 2"
         ],
         "x":[1,2.5,null]
        }"""
    )


def test_numbers_stay_as_they_were_written() -> None:
    result = compact_json('{"a": 1.50, "b": 1e400, "c": 123456789012345678901234567890}')
    assert result is not None
    assert result.text == '{"a":1.50,"b":1e400,"c":123456789012345678901234567890}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_without_tables_can_be_read_back(value: object) -> None:
    result = compact_json(json.dumps(value, indent=3))
    assert result is not None
    if " rows of " not in result.text:
        assert json.loads(result.text) == value


def test_what_is_no_json_is_left_alone() -> None:
    assert compact_json('{"a": 1, "a": 2}') is None
    assert compact_json("{a: 1}") is None
    assert compact_json("[" * 100_000) is None
    assert compact_json_lines(['{"a": 1}', "no"]) is None


def test_json_lines_become_a_table() -> None:
    result = compact_json_lines([f'{{"id": {index}, "ok": true, "who": "a {index}"}}' for index in range(3)])
    assert result is not None
    assert result.texts == ["3 rows of id,ok,who:", " 0,true,a 0", " 1,true,a 1", " 2,true,a 2"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pip", Kind.LOG),
        ("git", Kind.COMMITS),
        ("build", Kind.LOG),
        ("syslog", Kind.LOG),
        ("csv", Kind.TABLE),
        ("uniform JSON", Kind.JSON),
        ("mixed JSON", Kind.JSON),
        ("prose", Kind.PROSE),
    ],
)
def test_kinds_are_told_apart(name: str, kind: Kind) -> None:
    text = next(flood for flood in FLOODS if flood.name == name).text(300, 0.5)
    assert kind_of(text, text.split("\n")) == kind


def test_other_kinds_are_told_apart() -> None:
    code = Path(__file__).read_text(encoding="utf-8")
    yaml = "".join(f"service{index}:\n  image: web\n  ports:\n    - {index}\n" for index in range(40))
    rows = "".join(f'{{"a": {index}}}\n' for index in range(5))
    for text, kind in (
        (code, Kind.OUTLINE),
        (yaml, Kind.OUTLINE),
        (rows, Kind.JSON_LINES),
        (dedent(DIFF), Kind.DIFF),
        ("", Kind.LINES),
    ):
        assert kind_of(text, text.split("\n")) == kind


@given(st.text(max_size=400), st.sampled_from(list(Kind)), st.integers(1, 50))
def test_the_units_of_a_text_make_up_the_text(text: str, kind: Kind, longest: int) -> None:
    units = cut(Lines.of(text.split("\n")), kind, longest)
    assert "".join(units.texts).removesuffix("\n") == text.removesuffix("\n")
    assert all(len(unit) <= longest for unit in units.texts)
    assert len(units.texts) == len(units.stands) == len(units.parents)
