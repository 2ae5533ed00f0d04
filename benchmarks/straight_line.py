"""What `ctxchat ask` costs over the engine underneath: start-up, decode and memory, as ratios.

Every figure comes from fresh processes, the two sides of each ratio in turn within one run.

    python benchmarks/straight_line.py [--runs 7] [--tokens 128]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

WORKERS = Path(__file__).parent / "workers"
QUESTION = "Write a long story about a lighthouse keeper and the sea."


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=128)
    arguments = parser.parse_args()
    table = Table("figure", "ctxchat", "beside it", "ratio (least–most)", "goal")
    with tempfile.TemporaryDirectory() as home:
        environment = fresh_environment(home)
        start_up(table, environment, arguments.runs)
        decode(table, environment, arguments.runs, arguments.tokens)
    Console(width=140).print(table)


def fresh_environment(home: str) -> dict[str, str]:
    """An empty home, and compiled modules as an installation has them."""
    folders = {f"XDG_{kind}_HOME": home for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    environment = {**os.environ, "HOME": home, **folders}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def start_up(table: Table, environment: dict[str, str], runs: int) -> None:
    helps, asks, loads, bare_loads = [], [], [], []
    told("ask_until_prefill", environment)
    for _ in range(runs):
        helps.append(cpu_of([sys.executable, "-m", "ctxchat", "--help"], environment))
        asks.append(told("ask_until_prefill", environment)["cpu"] * 1000)
        loads.append(told("imports_and_loads", environment)["cpu"] * 1000)
        bare_loads.append(told("imports_and_loads", environment, "bindings")["cpu"] * 1000)
    spread = f"{min(helps):.0f}–{max(helps):.0f} ms"
    table.add_row("--help, CPU ms", f"{median(helps):.0f}", "", spread, "≤ 100 ms")
    label = "ask to its first prefill / its libraries and the load"
    row(table, f"{label}, CPU ms", asks, loads, "≤ 1.3", "{:.0f}")
    row(table, f"{label}, llama_cpp by its bindings alone", asks, bare_loads, "stated", "{:.0f}")


def decode(table: Table, environment: dict[str, str], runs: int, tokens: int) -> None:
    seen: dict[str, list[dict[str, float]]] = {
        name: [] for name in ("our_turn", "bare_loop", "llama_class", "llm_plugin")
    }
    for _ in range(runs):
        for name, reports in seen.items():
            reports.append(told(name, environment, QUESTION, str(tokens)))
    speeds = {name: [r["tokens"] / r["cpu"] for r in reports] for name, reports in seen.items()}
    for name, label, goal in (
        ("bare_loop", "a bare low-level loop, greedy", "≥ 0.95"),
        ("llama_class", "llama-cpp-python's Llama, chat stream", "stated"),
        ("llm_plugin", "llm -m SmolLM2, its own sampling", "stated"),
    ):
        row(table, f"decode / {label}, tokens a CPU s", speeds["our_turn"], speeds[name], goal, "{:.1f}")
    peaks = {name: [r["peak"] / 2**20 for r in reports] for name, reports in seen.items()}
    for name, label, goal in (
        ("bare_loop", "the bare loop's", "≤ 1.1"),
        ("llama_class", "Llama's", "stated"),
    ):
        row(table, f"peak memory / {label}, MiB", peaks["our_turn"], peaks[name], goal, "{:.0f}")


def row(table: Table, label: str, ours: list[float], theirs: list[float], goal: str, form: str) -> None:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    spread = f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    table.add_row(label, form.format(median(ours)), form.format(median(theirs)), spread, goal)


def cpu_of(command: list[str], environment: dict[str, str]) -> float:
    """CPU milliseconds of a whole process."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return (usage.ru_utime + usage.ru_stime) * 1000


def told(worker: str, environment: dict[str, str], *words: str) -> dict[str, float]:
    """What a worker in a process of its own reports of itself, as JSON on the last line of stderr."""
    command = [sys.executable, str(WORKERS / f"{worker}.py"), *words]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    report: dict[str, float] = json.loads(ended.stderr.splitlines()[-1])
    return report


if __name__ == "__main__":
    main()
