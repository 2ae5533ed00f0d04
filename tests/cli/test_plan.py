"""`plan` says what a prompt would cost, sends nothing, and loads no llama.cpp once it knows the file."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Run = Callable[..., Ran]
FIELDS = ["budget", "type_k", "turns", "notes", "total", "evaluated", "prefill", "bytes"]
PROBE = """
import sys
from ctxchat.cli.process import run
sys.argv = ["ctxchat", *sys.argv[1:]]
try:
    run()
finally:
    print(sorted(name for name in sys.modules if name.startswith("llama_cpp")), file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def model(smollm2: Path, environment: dict[str, str]) -> None:
    environment["CTXCHAT_MODEL_PATH"] = str(smollm2)


@pytest.fixture
def talked(run: Run, home: Path) -> str:
    """A conversation of six turns that were said elsewhere."""
    lines = [
        {"role": role, "text": f"{role} {number} " + "words and more words " * 10}
        for number in range(6)
        for role in ("user", "assistant")
    ]
    path = home / "said.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run("sessions", "import", str(path), "--name", "said").stdout.strip()


def test_a_plan_is_one_object_with_alternatives(run: Run, talked: str) -> None:
    ended = run("plan", "--session", talked, "--ctx-size", "1024", "--json", "Why?")
    assert (ended.returncode, ended.stderr) == (0, "")
    told = json.loads(ended.stdout)
    assert list(told) == ["prompt", "kv", "predicted", "alternatives"]
    assert told["predicted"] == {"prefill": None, "decode_per_token": None}
    choices = told["alternatives"]
    assert all(list(choice) == FIELDS for choice in choices)
    assert {choice["type_k"] for choice in choices} == {"f16", "q8_0"}
    assert choices[0]["budget"] == 1024 - told["prompt"]["reserve"]
    assert choices[0]["total"] == told["prompt"]["total"] == told["kv"]["evaluated"]
    assert choices[0]["bytes"] == told["kv"]["bytes"]
    assert choices[1]["bytes"] < choices[0]["bytes"]
    assert choices[-1]["turns"] < choices[0]["turns"] == 6


def test_a_plan_counts_what_a_dry_run_counts(run: Run, talked: str) -> None:
    words = ("--session", talked, "-f", "-", "--json", "Why?")
    planned = json.loads(run("plan", *words, stdin=b"piped\n").stdout)
    dry = json.loads(run("ask", "--dry-run", *words, stdin=b"piped\n").stdout)
    assert planned["prompt"] == dry["prompt"]
    assert planned["kv"] == dry["kv"]


def test_people_get_a_table_and_what_would_be_left_out(run: Run, talked: str) -> None:
    ended = run("plan", "--session", talked, "--ctx-size", "1024", "Why?")
    lines = ended.stdout.splitlines()
    assert "tokens of 896 that may be used" in lines[0]
    assert lines[2].split() == ["BUDGET", "KEYS", "TURNS", "NOTES", "TOTAL", "NEW", "PREFILL", "KV"]
    assert lines[3].split()[:5] == ["896", "f16", "6", "of", "6"]
    assert "left out at 224: history turn 1, " in ended.stdout


def test_what_does_not_fit_exits_4_and_is_planned_all_the_same(run: Run) -> None:
    ended = run("plan", "--ctx-size", "256", "--json", stdin=b"word " * 900)
    assert ended.returncode == 4
    told = json.loads(ended.stdout)
    assert told["prompt"]["total"] > 900
    assert len(told["alternatives"]) >= 2
    assert "too many" in ended.stderr
    assert "(too many)" in run("plan", "--ctx-size", "256", stdin=b"word " * 900).stdout


def test_nothing_is_written(run: Run) -> None:
    assert run("plan", "Why?").returncode == 0
    assert run("sessions", "list", "--json").stdout.strip() == "[]"


@pytest.mark.parametrize("flag", ["--events", "--dry-run", "-u", "--seed"])
def test_flags_of_answers_are_none_of_a_plan(run: Run, flag: str) -> None:
    assert run("plan", flag, "1").returncode == 2


def test_a_blank_question_is_a_usage_error(run: Run) -> None:
    ended = run("plan")
    assert (ended.returncode, ended.stdout) == (2, "")


def test_a_model_that_is_not_there_exits_3(run: Run) -> None:
    assert run("plan", "-m", "/no/such.gguf", "Why?").returncode == 3


@pytest.mark.usefixtures("never_used")
@pytest.mark.parametrize(
    "words", [("plan", "--json", "Why?"), ("ask", "--dry-run", "--json", "Why?")], ids=["plan", "dry run"]
)
def test_the_second_count_imports_no_llama_cpp(
    words: tuple[str, ...], environment: dict[str, str], home: Path
) -> None:
    first, second = (
        subprocess.run(
            [sys.executable, "-c", PROBE, *words],
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        for _ in range(2)
    )
    assert json.loads(first.stdout) == json.loads(second.stdout)
    assert "llama_cpp.llama_cpp" in first.stderr
    assert second.stderr.splitlines()[-1] == "[]"
