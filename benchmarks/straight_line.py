"""What `ctxchat ask` costs over the engine underneath: start-up, decode and memory, as ratios.

Every figure comes from fresh processes, the two sides of each ratio in turn within one run.

    python benchmarks/straight_line.py [--runs 7] [--tokens 128]
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

WORKERS = Path(__file__).parent / "workers"
ASK = [sys.executable, "-m", "ctxchat", "ask", "-n", "-q", "--threads", "1", "--threads-batch", "1"]
QUESTION = "Write a long story about a lighthouse keeper and the sea."


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=128)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home}
        table = Table("figure", "ctxchat", "beside it", "ratio (least–most)", "goal")
        start_up(table, environment, arguments.runs)
        decode(table, environment, arguments.runs, arguments.tokens)
        Console(width=150).print(table)


def start_up(table: Table, environment: dict[str, str], runs: int) -> None:
    helps, asks, loads = [], [], []
    for _ in range(runs):
        helps.append(cpu_of([sys.executable, "-m", "ctxchat", "--help"], environment))
        asks.append(cpu_until(b'"prefilled"', [*ASK, "--events", "--max-tokens", "8", "Hi"], environment))
        loads.append(
            cpu_until(b"loaded", [sys.executable, str(WORKERS / "imports_and_loads.py")], environment)
        )
    table.add_row(
        "--help, CPU ms", f"{median(helps):.0f}", "", f"{min(helps):.0f}–{max(helps):.0f} ms", "≤ 100 ms"
    )
    row(
        table,
        "ask to its first prefill / only the imports and the load, CPU ms",
        asks,
        loads,
        "≤ 1.3",
        "{:.0f}",
    )


def decode(table: Table, environment: dict[str, str], runs: int, tokens: int) -> None:
    names = ["our_turn", "bare_loop", "llama_class", "llm_plugin"]
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(runs):
        for name in names:
            command = [sys.executable, str(WORKERS / f"{name}.py"), QUESTION, str(tokens)]
            out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            seen[name].append(json.loads(out.splitlines()[-1]))
    speeds = {name: [run["tokens"] / run["decode_cpu"] for run in seen[name]] for name in names}
    for name, label, goal in (
        ("bare_loop", "a bare low-level loop, greedy", "≥ 0.95"),
        ("llama_class", "llama-cpp-python's Llama, chat completion stream", "stated"),
        ("llm_plugin", "llm -m SmolLM2 (its own sampling)", "stated"),
    ):
        row(table, f"decode / {label}, tokens a CPU second", speeds["our_turn"], speeds[name], goal, "{:.1f}")
    peaks = {name: [run["peak"] / 2**20 for run in seen[name]] for name in names}
    row(table, "peak memory / the bare loop's, MiB", peaks["our_turn"], peaks["bare_loop"], "≤ 1.1", "{:.0f}")
    row(table, "peak memory / Llama's, MiB", peaks["our_turn"], peaks["llama_class"], "stated", "{:.0f}")


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


def cpu_until(mark: bytes, command: list[str], environment: dict[str, str]) -> float:
    """CPU milliseconds of all threads of a process up to the first line that holds `mark`."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if mark in line:
                process.send_signal(signal.SIGSTOP)
                break
        spent = sum(
            int((task / "schedstat").read_text().split()[0])
            for task in Path(f"/proc/{process.pid}/task").iterdir()
        )
        process.kill()
    return spent / 1e6


if __name__ == "__main__":
    main()
