"""The terminal UI beside what it is built on: its loop while a model works, decoding, start and leaving.

Every process draws on a terminal of its own (a pty of 120 × 40), and the real application is driven by the
real driver. SmolLM2, one thread. Exits with 1 where a goal is missed.

    python benchmarks/terminal_ui.py [--runs 5] [--only loop decode start quit]
"""

import argparse
import fcntl
import json
import os
import pty
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
WORKERS = Path(__file__).parent / "workers"
ROWS, COLUMNS = 40, 120
PHASES = ("loading", "prefill", "decode", "upkeep")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=["loop", "decode", "start", "quit"])
    arguments = parser.parse_args()
    table = Table("figure", "terminal UI", "beside it", "goal", "met")
    measures = {"loop": loop, "decode": decode, "start": start, "quit": leaving}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        folders = {f"XDG_{kind}_HOME": home for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
        os.environ |= {"HOME": home, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **folders}
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        met = [measures[name](table, arguments.runs, Path(home)) for name in arguments.only]
    Console(width=140).print(table)
    sys.exit(0 if all(met) else 1)


def loop(table: Table, runs: int, home: Path) -> bool:
    """How late a timer of 10 ms comes in the loop of the application: at rest, reading, answering."""
    lags: dict[str, list[float]] = {"rest": [], "prefill": [], "decode": []}
    for run in range(max(1, runs // 3)):
        for phase, seen in told(home, "ticking_chat", f"loop-{run}")["lags"].items():
            lags[phase] += seen
    rest = lags.pop("rest")
    met = True
    for phase, seen in lags.items():
        middle, last = median(seen), quantiles(seen, n=100)[98]
        fine = middle < 15 and last < 60
        met = met and fine
        table.add_row(
            f"loop lag while {phase}, median · 99 % · most, ms ({len(seen)})",
            f"{middle:.1f} · {last:.1f} · {max(seen):.1f}",
            f"at rest {median(rest):.1f} · {quantiles(rest, n=100)[98]:.1f} · {max(rest):.1f}",
            "< 15 · < 60",
            _said(fine),
        )
    return met


def decode(table: Table, runs: int, home: Path) -> bool:
    """Tokens a second of the same answer, with the application and without one, in turn."""
    ours, alone = [], []
    for run in range(runs):
        ours.append(told(home, "ticking_chat", f"decode-{run}", "short")["decode"])
        alone.append(told(home, "headless_turn", f"alone-{run}")["decode"])
    ratio = median(ours) / median(alone)
    table.add_row(
        "decode, tokens/s",
        f"{median(ours):.1f} ({min(ours):.1f}–{max(ours):.1f})",
        f"ChatService alone {median(alone):.1f} ({min(alone):.1f}–{max(alone):.1f}): {ratio:.2f}",
        "≥ 0.9",
        _said(ratio >= 0.9),
    )
    return ratio >= 0.9


def start(table: Table, runs: int, home: Path) -> bool:
    """CPU of the process up to the first frame, beside an application with one line of text."""
    ours, empty, writable = [], [], []
    for name in ("first_frame", "empty_app"):
        cpu(home, name)
    for _ in range(max(5, runs)):
        ours.append(cpu(home, "first_frame"))
        empty.append(cpu(home, "empty_app"))
        writable.append(cpu(home, "writable_question"))
    ratio = median(ours) / median(empty)
    table.add_row(
        "CPU to the first frame, ms",
        f"{median(ours):.0f} ({min(ours):.0f}–{max(ours):.0f})",
        f"an App with one Static {median(empty):.0f} ({min(empty):.0f}–{max(empty):.0f}): {ratio:.2f}",
        "≤ 1.3",
        _said(ratio <= 1.3),
    )
    whole = f"{median(writable):.0f} ({min(writable):.0f}–{max(writable):.0f})"
    table.add_row("CPU until a question can be written, ms", whole)
    return ratio <= 1.3


def leaving(table: Table, runs: int, home: Path) -> bool:  # noqa: ARG001 - as the others
    """From the key to the end of the process, in every phase; what was answered is on record."""
    met = True
    for phase in PHASES:
        seen = told(home, "quitting_chat", phase, phase)
        seconds, kept = time.time() - seen["pressed"], _kept(phase, seen["answered"])
        fine = seconds < 1 and kept
        met = met and fine
        words = f"{len(seen['answered'])} letters answered, {'on record' if kept else 'LOST'}"
        table.add_row(f"leaving while {phase}, s", f"{seconds:.2f}", words, "< 1, kept", _said(fine))
    return met


def _kept(name: str, answered: str) -> bool:
    """Whether a conversation on record holds what stood on the screen."""
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    if not answered:
        return True
    messages = wiring.conversation_service(load_settings({})).transcript(name).messages
    return any(answered.strip() in message.spoken for message in messages)


def told(home: Path, worker: str, *words: str) -> dict[str, Any]:
    """What a worker reports in a file, once it has ended."""
    report = home / f"{worker}.json"
    report.unlink(missing_ok=True)
    cpu(home, worker, str(report), *words)
    said: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return said


def cpu(home: Path, worker: str, *words: str) -> float:
    """Run a worker on a terminal of its own; returns the CPU milliseconds of its process."""
    program = [sys.executable, str(WORKERS / f"{worker}.py"), *words]
    child, screen = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(home)
        os.execv(program[0], program)
    drawn = bytearray()
    try:
        while block := os.read(screen, 65_536):
            drawn += block
    except OSError:
        pass  # the other end of a terminal that was closed
    _, status, used = os.wait4(child, 0)
    os.close(screen)
    if status:
        sys.exit(f"{worker}: {drawn[-2000:].decode(errors='replace')}")
    return (used.ru_utime + used.ru_stime) * 1000


def _said(fine: bool) -> str:
    return "yes" if fine else "MISSED"


if __name__ == "__main__":
    main()
