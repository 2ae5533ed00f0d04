"""`ask` with the real small model, on pipes: what is on which stream, and the exit code."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Ran

pytestmark = pytest.mark.model
Run = Callable[..., Ran]
SHORT = ("--max-tokens", "8", "--temperature", "0")


@pytest.fixture(autouse=True)
def model(smollm2: Path, environment: dict[str, str]) -> None:
    """The model by its path, so that nothing is said about how it was chosen."""
    environment["CTXCHAT_MODEL_PATH"] = str(smollm2)


def test_the_answer_alone_is_on_stdout_and_ends_with_one_newline(run: Run) -> None:
    asked = run("ask", "Say hello.", *SHORT, "-x", "--seed", "1", "-n")
    told = json.loads(run("ask", "Say hello.", *SHORT, "--json", "-n").stdout)
    assert asked.stdout == told["answer"].rstrip("\n") + "\n"
    assert told["finish"] in ("stop", "length")
    assert "no code block" in asked.stderr
    assert "\x1b" not in asked.stderr


def test_the_receipt_adds_up(run: Run) -> None:
    ended = run("ask", "Why?", *SHORT, "--json", "-f", "-", stdin=b"some text\n")
    assert ended.returncode == 0
    told = json.loads(ended.stdout)
    prompt, kv = told["prompt"], told["kv"]
    assert sum(prompt["sections"].values()) == prompt["total"] == kv["reused"] + kv["evaluated"]
    assert prompt["sections"]["data"] > 0
    assert prompt["reserve"] == 8
    assert kv["bytes"] == kv["cells"] * kv["bytes_per_token"] == kv["cells"] * 23040
    assert told["session"]


def test_piped_text_alone_is_the_question(run: Run) -> None:
    told = json.loads(run("ask", "--json", *SHORT, stdin=b"What is two plus two?").stdout)
    assert told["prompt"]["sections"]["data"] == 0
    assert told["prompt"]["sections"]["question"] > 0


def test_events_tell_the_turn_in_order_and_their_texts_are_the_answer(run: Run) -> None:
    lines = [json.loads(line) for line in run("ask", "Hi", "--events", *SHORT).stdout.splitlines()]
    kinds = list(dict.fromkeys(line["type"] for line in lines))
    assert kinds == [
        "model_loading", "prompt_built", "cost_predicted", "prefilled", "text_generated", "finished",
    ]  # fmt: skip
    assert "".join(line["text"] for line in lines if line["type"] == "text_generated") == lines[-1]["answer"]


def test_usage_and_stats_go_to_stderr(run: Run) -> None:
    ended = run("ask", "Hi", *SHORT, "-u", "--stats")
    assert "in, " in ended.stderr
    assert "section" in ended.stderr
    assert "tok/s" not in ended.stdout


def test_a_dry_run_prints_the_ledger_and_writes_nothing(run: Run, home: Path) -> None:
    ended = run("ask", "Hi", "--dry-run")
    assert ended.returncode == 0
    assert ended.stdout.split()[:5] == ["section", "id", "turn", "tokens", "text"]
    told = json.loads(run("ask", "Hi", "--dry-run", "--json").stdout)
    assert (told["answer"], told["finish"]) == (None, None)
    assert set(told["latency"].values()) == {None}
    assert run("sessions", "list", "--json").stdout.strip() == "[]"


def test_a_conversation_goes_on_and_can_be_forked(run: Run) -> None:
    first = json.loads(run("ask", "One", "--json", *SHORT).stdout)
    second = json.loads(run("ask", "Two", "-c", "--json", *SHORT).stdout)
    assert second["session"] == first["session"]
    assert second["prompt"]["verbatim_turns"] == 1
    forked = json.loads(run("ask", "Three", "-c", "--fork", "--json", *SHORT).stdout)
    assert forked["session"] != first["session"]
    assert forked["prompt"]["verbatim_turns"] == 2


def test_a_system_message_for_a_conversation_with_turns_is_a_usage_error(run: Run) -> None:
    run("ask", "One", *SHORT)
    ended = run("ask", "Two", "-c", "-s", "Be brief.", "--json")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1


def test_a_prompt_file_is_filled(run: Run, home: Path) -> None:
    folder = home / "config/ctxchat/prompts"
    folder.mkdir(parents=True)
    (folder / "translate.md").write_text("Translate into $language: $question")
    told = run("ask", "-t", "translate", "-p", "language", "French", "cheese", "--dry-run")
    assert "Translate into French: cheese" in told.stdout
    missing = run("ask", "-t", "translat", "x")
    assert missing.returncode == 2
    assert "translate" in missing.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["-m", "/nowhere/none.gguf"], 3),
        (["-m", "no-such-name"], 3),
        (["--ctx-size", "64", "--max-tokens", "60"], 4),
    ],
    ids=str,
)
def test_a_failure_is_one_line_and_the_object_says_it_too(run: Run, words: list[str], code: int) -> None:
    ended = run("ask", "Hi " * 30, "--json", *words)
    told = json.loads(ended.stdout)
    assert ended.returncode == code == told["error"]["code"]
    assert told["finish"] == "error"
    assert told["error"]["message"] in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_input_longer_than_the_window_exits_4_and_says_what_would_help(run: Run) -> None:
    ended = run("ask", "why", "--ctx-size", "256", "--no-filter", stdin=b"word " * 2000)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "too many" in ended.stderr
    assert "--ctx-size" in ended.stderr


def test_a_model_that_is_no_model_exits_3(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    ended = run("ask", "Hi", "-m", str(tmp_path / "bad.gguf"))
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("ctxchat: ")
    assert ended.stderr.count("\n") == 1


def test_a_data_folder_that_cannot_be_written_exits_6_and_loses_nothing(run: Run, home: Path) -> None:
    (home / "data").write_text("a file in the place of the folder")
    ended = run("ask", "Hi", "--json", *SHORT)
    assert ended.returncode == 6
    assert json.loads(ended.stdout)["error"]["code"] == 6
    assert "Traceback" not in ended.stderr


def test_the_bundled_model_is_said_in_one_line(run: Run) -> None:
    ended = run("ask", "Hi", *SHORT, "-n", CTXCHAT_MODEL_PATH="")
    lines = [line for line in ended.stderr.splitlines() if "bundled" in line]
    assert len(lines) == 1
    assert lines[0].startswith("ctxchat: ")


def test_a_reader_that_leaves_ends_it_with_141_and_the_partial_answer_is_kept(
    run: Run, environment: dict[str, str], home: Path
) -> None:
    command = [*COMMAND, "ask", "Count from one to a thousand.", "--max-tokens", "400"]
    with subprocess.Popen(
        command,
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141
    messages = json.loads(run("sessions", "show", "--json").stdout)["messages"]
    assert [message["finish"] for message in messages] == [None, "cancelled"]
    assert messages[1]["text"]
