"""A text that is too long to be held is condensed while it is read, or refused."""

import json
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from ctxchat.cli import reading
from ctxchat.cli.reading import Reading
from ctxchat.domain.errors import PromptTooLargeError
from tests.cli.conftest import Ran

PEAK = """
import resource, sys
from ctxchat.cli.input import read_question
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
question = read_question(["why", "did", "payments", "fail"], sys.argv[1:])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
[attachment] = question.attachments
kept = "card declined 7731" in attachment.text
print(after - before, len(attachment.text), attachment.condensed_from, kept)
print(question.warnings[0])
"""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold less, so that a test need not write much."""
    monkeypatch.setattr(reading, "HELD_BYTES", 20_000)


def flood(lines: int) -> bytes:
    return b"".join(
        b"2026-11-22 10:00:%02d INFO worker %d: payment accepted\n" % (n % 60, n) for n in range(lines)
    )


def test_what_can_be_held_is_attached_as_it_is(short: None) -> None:
    text = "é" * 10_000
    attachment = Reading(condenses=False).attachment(BytesIO(text.encode()), "a.log", "why")
    assert (attachment.text, attachment.condensed_from) == (text, None)


def test_what_is_longer_is_condensed_and_that_is_told(short: None) -> None:
    content = flood(2000)
    read = Reading()
    attachment = read.attachment(BytesIO(content), "a.log", "why")
    assert attachment.label == "a.log"
    assert 0 < len(attachment.text) < len(content)
    assert attachment.condensed_from == len(content)
    [warning] = read.all_warnings()
    assert warning.startswith("a.log: ")
    assert "2,000 lines were condensed while reading" in warning


def test_bytes_that_are_no_utf8_are_replaced_and_a_character_may_lie_across_chunks(
    short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_CHUNK_BYTES", 7)
    valid = Reading()
    valid.attachment(BytesIO("ünïcödé — ✓\n".encode() * 2000), "a.log", "why")
    assert len(valid.all_warnings()) == 1
    broken = Reading()
    attachment = broken.attachment(BytesIO(b"caf\xe9 error\n" + flood(2000)), "a.log", "why")
    assert "caf� error" in attachment.text
    assert broken.all_warnings()[-1] == "not valid UTF-8, read with replacement characters: a.log"


def test_a_line_without_end_is_read_too(short: None) -> None:
    attachment = Reading().attachment(BytesIO(b"x" * 1_000_000), "a.log", "why")
    assert attachment.condensed_from is not None
    assert len(attachment.text) < 1_000_000


class Endless(BytesIO):
    """Counts what is read of it."""

    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0
        self.asked += size
        return b"x" * size


def test_without_filters_it_is_refused_before_it_is_read(short: None) -> None:
    stream = Endless()
    with pytest.raises(PromptTooLargeError, match=r"a\.log is longer than 20\.0 kB.*--no-filter"):
        Reading(condenses=False).attachment(stream, "a.log", "why")
    assert stream.asked < 40_000


def test_a_question_is_not_condensed(short: None) -> None:
    with pytest.raises(PromptTooLargeError, match="ask about it in words"):
        Reading().attachment(Endless(), "stdin", None)


@pytest.mark.parametrize("flags", [["--no-filter"], ["--overflow", "refuse"]])
def test_a_flood_that_may_not_be_condensed_exits_4_with_an_object(
    run: Callable[..., Ran], flags: list[str]
) -> None:
    content = b"line\n" * 2_000_000
    ended = run("ask", "why", "--json", *flags, stdin=content)
    assert ended.returncode == 4
    told = json.loads(ended.stdout)
    assert (told["finish"], told["error"]["code"]) == ("error", 4)
    assert "stdin is longer than 8.0 MB" in told["error"]["message"]
    planned = run("plan", "why", *flags, stdin=content)
    assert (planned.returncode, planned.stdout) == (4, "")
    assert planned.stderr.count("\n") == 1


def test_a_flood_is_read_in_bounded_memory_and_keeps_what_is_asked_about(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    path = tmp_path / "flood.log"
    with path.open("wb") as file:
        for number in range(60):
            file.write(flood(19_000))
            if number == 37:
                file.write(b"2026-11-22 10:00:00 ERROR payments fail: card declined 7731\n")
    assert path.stat().st_size > 60_000_000
    ended = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    figures, warning = ended.stdout.splitlines()
    grown_kib, left, read, kept = figures.split()
    assert int(grown_kib) * 1024 < 40_000_000
    assert int(left) < 8_000_000
    assert int(read) == path.stat().st_size
    assert kept == "True"
    assert "lines were condensed while reading" in warning
