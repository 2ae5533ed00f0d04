"""Text that is too large to hold."""

import io
import re
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.filters.stream import LAST, condensed
from tests.support.floods import FLOODS, Flood

LOGS = [flood for flood in FLOODS if flood.name in ("pip", "git", "build", "syslog", "csv")]


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("flood", LOGS, ids=lambda flood: flood.name)
def test_the_line_that_answers_is_kept_wherever_it_stands(flood: Flood, share: float) -> None:
    text = flood.text(20_000, share)
    result = condensed(io.StringIO(text), flood.question)
    assert flood.needle in result.text
    assert len(result.text) < len(text) / 5
    assert result.characters == len(text)
    assert result.lines == len(text.splitlines())


@given(st.lists(st.sampled_from(["one\n", "two 2\n", "an error\n", "why\n", "\n"]), max_size=80))
def test_short_streams_are_kept_whole(lines: list[str]) -> None:
    head, *rest = condensed(lines, "why?").text.split("\n")
    assert head.startswith(f"[… {len(lines)} of {len(lines)} line")
    assert [re.sub(r" \[… \d+ more like this\]$", "", line) for line in rest] == "".join(lines).split("\n")


def test_gaps_and_lines_make_up_the_stream() -> None:
    result = condensed((f"request {index} was served\n" for index in range(100_000)), "")
    gaps = sum(
        int(n.replace(",", "")) for n in re.findall(r"^\[… ([\d,]+) lines?\]$", result.text, re.MULTILINE)
    )
    shown = sum(line.startswith("request") for line in result.text.splitlines())
    assert gaps + shown == 100_000
    assert "request 0 was served [… 99,999 more like this]" in result.text
    assert result.text.endswith("request 99999 was served\n")
    assert shown > LAST


def test_what_stands_around_an_error_is_kept_also_across_batches() -> None:
    def lines() -> Iterator[str]:
        for index in range(60_000):
            yield f"request {index:07} was served and nothing was wrong\n" * 1
            if index % 20_000 == 19_999:
                yield f"{'abc'[index // 20_000]} failed utterly\n"

    result = condensed(lines(), "").text
    for index in (19_999, 39_999, 59_999):
        assert f"request {index:07}" in result
        assert f"request {index - 1:07}" in result


def test_the_result_and_the_memory_are_bounded() -> None:
    def lines() -> Iterator[str]:
        for index in range(12_000):
            word = f"{index:b}".replace("0", "a").replace("1", "b")
            yield f"{word} error {word * 20} of {word[::-1]}\n"

    tracemalloc.start()
    result = condensed(lines(), "which error is ababab?")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(result.text) <= 2_000_000
    assert peak < 64 * 2**20


def test_a_line_without_end_comes_in_parts_that_are_bounded() -> None:
    stream = io.StringIO("x" * 1_000_000 + " needle77 " + "y" * 1_000_000)
    result = condensed(iter(lambda: stream.readline(65_536), ""), "where is needle77?")
    assert "needle77" in result.text
    assert len(result.text) < 100_000
