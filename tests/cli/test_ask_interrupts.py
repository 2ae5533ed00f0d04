"""Ctrl-C stops a turn in every phase, and keeps what was answered."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Ran

pytestmark = pytest.mark.model
LONG = b"The quick brown fox jumps over the lazy dog. " * 400


@contextmanager
def asking(
    environment: dict[str, str], home: Path, *words: str, text: bytes = b""
) -> Iterator[subprocess.Popen[bytes]]:
    """A turn that runs; its events come on stdout, one a line."""
    (home / "text").write_bytes(text)
    command = [*COMMAND, "ask", "--events", "--max-tokens", "400", *words]
    with (
        (home / "text").open("rb") as stdin,
        subprocess.Popen(
            command, env=environment, cwd=home, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        yield process


def wait_for(process: subprocess.Popen[bytes], reached: Callable[[dict[str, object]], bool]) -> None:
    assert process.stdout
    for line in process.stdout:
        if reached(json.loads(line)):
            return
    raise AssertionError("the turn ended before")


@pytest.mark.parametrize(
    ("reached", "text"),
    [
        (lambda event: event["type"] == "model_loading", LONG),
        (lambda event: event["type"] == "prefilled" and event["done"] > 0, LONG),
        (lambda event: event["type"] == "text_generated", b""),
    ],
    ids=["start-up", "prefill", "decode"],
)
def test_an_interrupt_ends_the_turn_as_cancelled_with_130(
    reached: Callable[[dict[str, object]], bool],
    text: bytes,
    environment: dict[str, str],
    home: Path,
    smollm2: Path,
    run: Callable[..., Ran],
) -> None:
    with asking(environment, home, "-m", str(smollm2), "Count on.", text=text) as process:
        wait_for(process, reached)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    final = json.loads(out.splitlines()[-1])
    assert process.returncode == 130
    assert (final["type"], final["finish"], final["error"]) == ("finished", "cancelled", None)
    assert err == b""
    messages = json.loads(run("sessions", "show", "--json").stdout)["messages"]
    assert messages[0]["text"] == "Count on."
    assert "".join(message["text"] for message in messages[1:]) == final["answer"]
    after = run("ask", "-c", "Hi", "--max-tokens", "4", "--json", "-m", str(smollm2))
    assert after.returncode == 0


def test_a_second_interrupt_leaves_at_once(environment: dict[str, str], home: Path, smollm2: Path) -> None:
    with asking(environment, home, "-m", str(smollm2), "Count on.", text=LONG) as process:
        wait_for(process, lambda event: event["type"] == "prefilled")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")


def test_an_interrupt_while_stdin_is_read_ends_it_quietly(environment: dict[str, str], home: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "ask", "--json"],
        env=environment,
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdin
        # More than a pipe holds: the write returns once the program has begun to read.
        process.stdin.write(b"a" * 200_000)
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")
