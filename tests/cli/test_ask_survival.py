"""`ask` through kills, full disks, a busy conversation and damaged models: nothing is lost."""

import json
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Ran
from tests.support.tiny_gguf import Shape, write_tiny_gguf

Run = Callable[..., Ran]
SHORT = ("--max-tokens", "6", "--temperature", "0")


@pytest.fixture
def tiny(home: Path, environment: dict[str, str]) -> Path:
    """A model of random weights, which never ends its turn; the one the settings name."""
    path = write_tiny_gguf(home / "tiny.gguf")
    environment["CTXCHAT_MODEL_PATH"] = str(path)
    return path


@contextmanager
def answering(environment: dict[str, str], home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has begun to answer and will not end soon; it is killed at the end."""
    command = [*COMMAND, "ask", "--events", "--max-tokens", "1900", *words]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, env=environment, cwd=home, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, text=True
    ) as process:
        assert process.stdout
        next(line for line in process.stdout if '"text_generated"' in line)
        try:
            yield process
        finally:
            process.kill()


def messages(run: Run) -> list[tuple[str, str]]:
    shown = json.loads(run("sessions", "show", "--json").stdout)
    return [(message["role"], message["text"]) for message in shown["messages"]]


def test_a_kill_in_the_middle_of_an_answer_loses_that_answer_alone(
    run: Run, environment: dict[str, str], home: Path, tiny: Path
) -> None:
    first = json.loads(run("ask", "One?", "--json", *SHORT).stdout)
    with answering(environment, home, "-c", "Two?") as process:
        process.send_signal(signal.SIGKILL)
    assert messages(run) == [("user", "One?"), ("assistant", first["answer"]), ("user", "Two?")]
    after = json.loads(run("ask", "-c", "Three?", "--json", *SHORT).stdout)
    assert after["finish"] == "length"
    assert after["session"] == first["session"]
    assert after["prompt"]["verbatim_turns"] == 1
    assert [text for _, text in messages(run)][2:4] == ["Two?", "Three?"]


def test_a_conversation_in_use_is_waited_for_and_its_holder_named(
    run: Run, environment: dict[str, str], home: Path, tiny: Path
) -> None:
    run("ask", "One?", *SHORT)
    with answering(environment, home, "-c", "Two?") as process:
        process.send_signal(signal.SIGSTOP)
        ended = run("ask", "-c", "Three?", "--json", *SHORT)
    assert ended.returncode == 6
    assert json.loads(ended.stdout)["error"]["code"] == 6
    assert str(process.pid) in ended.stderr


@pytest.mark.parametrize("room", [0, 4096])
def test_a_full_disk_is_said_and_what_was_recorded_stays(
    run: Run, environment: dict[str, str], home: Path, tiny: Path, room: int
) -> None:
    """A limit on the size of files stands in for a disk with `room` bytes left."""
    run("ask", "One?", *SHORT)
    before = messages(run)
    files = (home / "data").rglob("*.sqlite3*")
    limit = max(path.stat().st_size for path in files) + room
    ended = subprocess.run(
        [*COMMAND, "ask", "-c", *["Two? " * 20_000] * 5, *SHORT],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert ended.returncode == 6, ended.stderr
    assert ended.stderr.startswith("ctxchat: ")
    assert ended.stderr.count("\n") == 1
    assert messages(run)[: len(before)] == before
    assert run("ask", "-c", "Three?", *SHORT).returncode == 0


def cut(model: bytes) -> bytes:
    return model[: len(model) // 2]


def without_tensors(model: bytes) -> bytes:
    return model[: model.index(b"tokenizer.ggml.tokens") + 200]


def damaged(model: bytes) -> bytes:
    at = model.index(b"llama.block_count") + len(b"llama.block_count")
    return model[:at] + b"\xff" * 24 + model[at + 24 :]


def of_another_kind(model: bytes) -> bytes:
    return model.replace(b"llama", b"xllmx")


@pytest.mark.parametrize(
    "change", [cut, without_tensors, damaged, of_another_kind, lambda _: b"", lambda _: b"hi"]
)
def test_a_model_that_cannot_be_opened_is_one_line_and_the_question_is_kept(
    run: Run, home: Path, tiny: Path, change: Callable[[bytes], bytes]
) -> None:
    (home / "bad.gguf").write_bytes(change(tiny.read_bytes()))
    ended = run("ask", "Hi", "-m", "bad.gguf")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("ctxchat: ")
    assert ended.stderr.count("\n") == 1
    assert "bad.gguf" in ended.stderr
    assert messages(run) == [("user", "Hi")]


def test_a_model_that_embeds_is_refused(run: Run, home: Path) -> None:
    write_tiny_gguf(home / "embeds.gguf", Shape(more={"llama.pooling_type": 1}))
    ended = run("ask", "Hi", "-m", "embeds.gguf")
    assert ended.returncode == 3
    assert "cannot chat" in ended.stderr


@pytest.mark.parametrize(
    ("stdin", "code", "said"),
    [
        (b"caf\xe9 au lait", 0, "UTF-8"),
        (b"\x7fELF\0\0\0", 2, "binary"),
        (b"", 2, "nothing was asked"),
        (b" \n\n", 2, "nothing was asked"),
    ],
)
def test_odd_input_on_stdin_is_said(run: Run, tiny: Path, stdin: bytes, code: int, said: str) -> None:
    ended = run("ask", *SHORT, stdin=stdin)
    assert ended.returncode == code
    assert said in ended.stderr


def test_a_dash_reads_stdin_and_words_make_it_an_attachment(run: Run, tiny: Path) -> None:
    told = json.loads(run("ask", "review", "-", "--json", *SHORT, stdin=b"a diff\n").stdout)
    assert told["prompt"]["sections"]["data"] > 0
    alone = json.loads(run("ask", "--json", *SHORT, stdin=b"a diff\n").stdout)
    assert alone["prompt"]["sections"]["data"] == 0


def test_a_broken_settings_file_is_told_with_its_line(run: Run, home: Path) -> None:
    (home / "ctxchat.toml").write_text("[model]\ntreads = 2\n")
    ended = run("ask", "Hi")
    assert ended.returncode == 2
    assert "ctxchat.toml:2: model.treads: " in ended.stderr
    assert "threads" in ended.stderr


def test_what_the_next_turn_would_send_can_be_shown(run: Run, tiny: Path) -> None:
    told = json.loads(run("ask", "One?", "--json", *SHORT).stdout)
    rows = json.loads(run("sessions", "show", "--context", "--json").stdout)
    assert set(rows[0]) == {"section", "id", "turn", "tokens", "text"}
    assert [(row["text"], row["turn"]) for row in rows if row["section"] == "history"] == [
        ("One?", 1),
        (told["answer"], 1),
    ]
    again = json.loads(run("ask", "-c", "Two?", "--json", *SHORT).stdout)
    spoken = sum(row["tokens"] for row in rows if row["section"] == "history")
    assert again["prompt"]["sections"]["history"] == spoken
    assert again["prompt"]["total"] > sum(row["tokens"] for row in rows)
    table = run("sessions", "show", "--context").stdout
    assert table.splitlines()[0].split() == ["SECTION", "ID", "TURN", "TOKENS", "TEXT"]
