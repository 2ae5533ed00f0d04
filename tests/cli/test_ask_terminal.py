"""`ask` with the real small model on a terminal of its own."""

import io
import re
from pathlib import Path

import pexpect
import pytest

from tests.cli.conftest import COMMAND
from tests.support.screens import SmallScreen

pytestmark = pytest.mark.model
COLUMNS, ROWS = 80, 24
LONG = "The quick brown fox jumps over the lazy dog. " * 400


class Terminal:
    """A process on a terminal, and all that it wrote there."""

    def __init__(self, environment: dict[str, str], home: Path, words: list[str]) -> None:
        self.seen = io.StringIO()
        python, *command = COMMAND
        self.process = pexpect.spawn(
            python,
            [*command, *words],
            env=environment,
            cwd=str(home),
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
            timeout=60,
        )
        self.process.logfile_read = self.seen

    def wait_for(self, pattern: str) -> None:
        self.process.expect(pattern)

    def finish(self) -> int:
        self.process.expect(pexpect.EOF)
        self.process.close()
        assert self.process.exitstatus is not None
        return self.process.exitstatus

    @property
    def screen(self) -> str:
        screen = SmallScreen(COLUMNS, ROWS)
        screen.write(self.seen.getvalue())
        return screen.text


@pytest.fixture
def terminal_environment(environment: dict[str, str], smollm2: Path) -> dict[str, str]:
    kept = {
        name: value for name, value in environment.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")
    }
    return kept | {"TERM": "xterm-256color", "CTXCHAT_MODEL_PATH": str(smollm2)}


SHORT = ["--max-tokens", "24", "--temperature", "0"]


def test_the_status_line_shows_the_meters_and_is_gone_at_the_end(
    terminal_environment: dict[str, str], home: Path
) -> None:
    terminal = Terminal(
        terminal_environment,
        home,
        # Of a sampled answer it is not known that six tokens cut it.
        ["ask", "Count to a **thousand**.", "--max-tokens", "6", "--temperature", "0"],
    )
    assert terminal.finish() == 0
    seen = terminal.seen.getvalue()
    for meter in ("loading the model", "of .* tokens · 100 %", "tok/s", r"KV \d+ cells"):
        assert re.search(meter, seen), meter
    assert "\x1b[2m" in seen
    assert "KV" not in terminal.screen
    assert "cut at its limit" in terminal.screen


def test_nothing_is_read_from_a_terminal(terminal_environment: dict[str, str], home: Path) -> None:
    terminal = Terminal(terminal_environment, home, ["ask"])
    assert terminal.finish() == 2
    assert "nothing was asked" in terminal.screen


def test_no_color_takes_the_colour_and_quiet_the_line(
    terminal_environment: dict[str, str], home: Path
) -> None:
    plain = Terminal(terminal_environment | {"NO_COLOR": "1"}, home, ["ask", "Hi", *SHORT])
    assert plain.finish() == 0
    assert "tok/s" in plain.seen.getvalue()
    assert not re.search(r"\x1b\[(2|3\d|9\d)m", plain.seen.getvalue())
    quiet = Terminal(terminal_environment, home, ["ask", "Hi", *SHORT, "-q"])
    assert quiet.finish() == 0
    assert "tok/s" not in quiet.seen.getvalue()


def test_a_dumb_terminal_gets_no_escape_sequence(terminal_environment: dict[str, str], home: Path) -> None:
    dumb = Terminal(terminal_environment | {"TERM": "dumb"}, home, ["ask", "Hi", *SHORT])
    assert dumb.finish() == 0
    assert "\x1b" not in dumb.seen.getvalue()


@pytest.mark.parametrize(
    ("question", "phase"),
    [(LONG, "reading .* tokens · [1-9]"), ("Count to a thousand.", "answering")],
    ids=["prefill", "decode"],
)
def test_ctrl_c_leaves_a_clean_line(
    question: str, phase: str, terminal_environment: dict[str, str], home: Path
) -> None:
    (home / "text").write_text(question)
    words = ["ask", "-f", "text", "Count to a thousand.", "--max-tokens", "500"]
    terminal = Terminal(terminal_environment, home, words)
    terminal.wait_for(phase)
    terminal.process.sendintr()
    assert terminal.finish() == 130
    assert "^C" not in terminal.screen
    assert "tok/s" not in terminal.screen
    assert terminal.seen.getvalue().endswith(("\n", "\x1b[K"))
