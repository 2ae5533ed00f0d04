"""`bench chat` shows three ways side by side, prints them as JSON, and keeps nothing of what was said."""

import json
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.cli.bench_chat import plot_of
from ctxchat.display.images import svg
from ctxchat.display.plots import drawn
from ctxchat.service.bench_ways import ChatReport, ChatTurn, Way, WayReport
from tests.cli.conftest import COMMAND, Ran
from tests.support.tiny_gguf import write_tiny_gguf

Run = Callable[..., Ran]


@pytest.fixture
def tiny(home: Path) -> str:
    return str(write_tiny_gguf(home / "tiny.gguf"))


def way_report(way: Way, turns: int, seconds: float, *, full: bool = False) -> WayReport:
    every = (ChatTurn(n, seconds * n, 100, 0, 100 * n, None) for n in range(1, turns + 1))
    return WayReport(way, tuple(every), full, asked=0)


REPORT = ChatReport(
    "<model> & more",
    "/m.gguf",
    2048,
    12,
    (
        way_report(Way.FULL, 5, 0.1, full=True),
        way_report(Way.LAST, 12, 0.5),
        way_report(Way.MANAGED, 12, 0.2),
    ),
)


def test_three_ways_are_told_and_nothing_of_them_stays(run: Run, tiny: str, home: Path) -> None:
    ended = run("bench", "chat", "-m", tiny, "--ctx-size", "1024", "--turns", "8", "--json")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    seen = json.loads(ended.stdout)
    assert list(seen) == ["model", "window", "turns", "ways"]
    assert (seen["window"], seen["turns"]) == (1024, 8)
    assert [way["way"] for way in seen["ways"]] == ["full", "last", "managed"]
    full, last, managed = seen["ways"]
    assert full["window_full"]
    assert len(full["turns"]) < 8
    assert len(last["turns"]) == len(managed["turns"]) == 8
    for way in seen["ways"]:
        assert way["peak_cells"] <= 1024
        assert way["evaluated"] == sum(turn["evaluated"] + turn["upkeep"] for turn in way["turns"])
        assert all(turn["first_token"] > 0 for turn in way["turns"])
    assert json.loads(run("sessions", "list", "--json").stdout) == []
    assert not list(home.rglob("*.sqlite3"))
    assert not list(home.rglob("bench-*"))


def test_flags_before_its_name_are_refused(run: Run, tiny: str) -> None:
    ended = run("bench", "-m", tiny, "chat")
    assert ended.returncode == 2
    assert ended.stderr == "ctxchat: flags of `chat` come behind it\n"


def test_both_are_told_of_in_the_help(run: Run) -> None:
    both, chat = run("bench", "--help"), run("bench", "chat", "--help")
    assert "chat" in both.stdout
    assert "--turns" in chat.stdout
    assert (both.returncode, chat.returncode) == (0, 0)


def test_no_model_is_said_in_one_line(run: Run) -> None:
    ended = run("bench", "chat", "-m", "/nowhere/none.gguf")
    assert ended.returncode == 3
    assert ended.stderr.count("\n") == 1


def test_a_window_that_holds_no_turn_is_said(run: Run, tiny: str) -> None:
    ended = run("bench", "chat", "-m", tiny, "--ctx-size", "128")
    assert ended.returncode == 4
    assert ended.stderr == "ctxchat: no turn fits a window of 128 tokens: --ctx-size sets it\n"


def test_a_window_of_so_many_turns_is_told_and_the_picture_written(run: Run, tiny: str, home: Path) -> None:
    ended = run(
        *("bench", "chat", "-m", tiny, "--ctx-size", "1024", "--turns", "4"),
        *("--last", "1", "--svg", "plot.svg"),
    )
    assert ended.returncode == 0, ended.stderr
    assert "all but 1" in ended.stdout
    assert ET.parse(home / "plot.svg").getroot().tag.endswith("svg")
    assert max(map(len, ended.stdout.splitlines())) <= 80


@pytest.mark.model
def test_an_interrupt_leaves_with_130_and_no_folder(
    environment: dict[str, str], home: Path, smollm2: Path
) -> None:
    command = [*COMMAND, "bench", "chat", "-m", str(smollm2), "--json"]
    with subprocess.Popen(
        command, env=environment, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None and not list(home.rglob("bench-*/*.sqlite3")):
            pass
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert not list(home.rglob("bench-*"))


def test_a_plot_says_where_full_history_ends_and_fits_a_terminal() -> None:
    lines = drawn(plot_of(REPORT))
    assert "× full history   + last turns   ● managed" in lines
    assert "× full history ends with turn 5: the window is full" in lines
    assert max(map(len, lines)) <= 80
    assert sum(line.count("×") for line in lines[1:-2]) == 5
    assert all(any(glyph in line for line in lines[1:-2]) for glyph in "+●")


def test_an_image_has_every_point_and_names_its_model_safely() -> None:
    root = ET.fromstring(svg(plot_of(REPORT)))
    assert len([part for part in root.iter() if part.tag.endswith("title")]) == 5 + 12 + 12
    assert "<model> & more" in "".join(root.itertext())
    assert "the window is full" in "".join(root.itertext())
