"""The program in a real terminal, with real keys and the real model."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tmux import Terminal

ROOT = Path(__file__).parents[2]
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    opened = Terminal(home, {**os.environ, "PYTHONPATH": str(ROOT)})
    yield opened
    opened.close()


@needs_tmux
@pytest.mark.model
def test_a_person_asks_stops_resizes_and_leaves_and_the_terminal_is_as_it_was(
    terminal: Terminal, smollm2: Path
) -> None:
    before = terminal.modes()
    flags = ["-m", str(smollm2), "--threads", "1", "--ctx-size", "2048", "--max-tokens", "64"]
    terminal.line("clear; " + shlex.join([sys.executable, "-m", "ctxchat", "chat", *flags]))
    terminal.until(lambda screen: "SmolLM2" in screen.split("\n")[0], "a loaded model")
    terminal.line("Say a word.")
    terminal.until(lambda screen: re.search(r"\d+ in · \d+ out", screen), "an answer")
    terminal.until(lambda screen: re.search(r"KV \d+ of 2,048", screen), "the cells")
    terminal.line("Write a long story about the sea.")
    terminal.until(lambda screen: "answering" in screen.partition("the sea.")[2], "decoding")
    terminal.keys("Escape")
    terminal.until(lambda screen: "· stopped" in screen.partition("the sea.")[2], "the stop")
    terminal.resize(60, 20)
    terminal.until(lambda screen: re.search(r"KV \d+/2,048", screen), "the meters of a small screen")
    terminal.keys("C-q")
    terminal.until_left()
    assert terminal.modes() == before
