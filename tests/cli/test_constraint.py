"""`--schema` and `--grammar`: what comes out satisfies them, or the exit code says that it does not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Run = Callable[..., Ran]

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
}


@pytest.mark.model
def test_an_answer_satisfies_its_schema_and_nothing_else_is_on_stdout(run: Run) -> None:
    ended = run("ask", "-q", "--schema", json.dumps(SCHEMA), "--max-tokens", "60", "Invent a person.")
    assert ended.returncode == 0
    answer = json.loads(ended.stdout)
    assert isinstance(answer["name"], str)
    assert answer["age"] >= 0


@pytest.mark.model
def test_an_answer_cut_before_it_satisfies_its_schema_exits_with_5(run: Run, home: Path) -> None:
    (home / "person.json").write_text(json.dumps(SCHEMA))
    ended = run("ask", "-q", "--json", "--schema", "person.json", "--max-tokens", "3", "Invent a person.")
    assert ended.returncode == 5
    receipt = json.loads(ended.stdout)
    assert (receipt["finish"], receipt["error"]["code"]) == ("length", 5)
    assert ended.stderr.count("--max-tokens raises it") == 1


@pytest.mark.model
def test_an_answer_is_what_a_grammar_allows(run: Run, home: Path) -> None:
    (home / "yes.gbnf").write_text('root ::= "yes" | "no"\n')
    ended = run("ask", "-q", "--grammar", "yes.gbnf", "Is the sky blue?")
    assert (ended.returncode, ended.stdout) in ((0, "yes\n"), (0, "no\n"))


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--schema", '{"type": "objekt"}'), "--schema: #: the type objekt"),
        (("--schema", '{"type": "array", "uniqueItems": true}'), "--schema: #: uniqueItems cannot"),
        (("--schema", "{"), "--schema: the schema is no JSON"),
        (("--schema", "nowhere.json"), "--schema: nowhere.json: No such file"),
        (("--schema", "x" * 5000), "File name too long"),
        (("--grammar", "nowhere.gbnf"), "--grammar: nowhere.gbnf: No such file"),
        (("--grammar", "bad.gbnf"), "--grammar: the grammar, line 2"),
        (("--grammar", "latin.gbnf"), "is not UTF-8"),
        (("--grammar", "bad.gbnf", "--schema", "{}"), "give one of them"),
    ],
)
def test_what_cannot_be_held_is_named_and_exits_with_2(
    run: Run, home: Path, flags: tuple[str, ...], named: str
) -> None:
    (home / "bad.gbnf").write_text('root ::= x\nx := "a"\n')
    (home / "latin.gbnf").write_bytes(b'root ::= "\xe9"\n')
    ended = run("ask", *flags, "why")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert named in ended.stderr
    assert ended.stderr.count("\n") == 1
