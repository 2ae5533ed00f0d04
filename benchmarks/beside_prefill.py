"""What notes cost a one-shot question: Chroma is imported and opened while the model reads.

The same question with an attached text of some hundred tokens, three ways in turn, each a fresh process:
without memory, with notes, and the import and a search alone. Wall time to the first token, as `--json`
tells it. Beside one another, the second should come to the first and not to the sum of the first and
the third. One thread for the model, so that a core is free.

    python benchmarks/beside_prefill.py [--runs 5] [--words 500]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

QUESTION = "Where does the heron nest, and who saw it there first?"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--words", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {f"XDG_{kind}_HOME": home for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
        os.environ |= {"CTXCHAT_MODEL_THREADS": "1", "CTXCHAT_MODEL_THREADS_BATCH": "1"}
        # Without compiled modules every start compiles them anew, and nothing else is measured.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        text = Path(home, "text.txt")
        text.write_text(" ".join(f"Line {n} is about reeds." for n in range(arguments.words // 5)))
        note = Path(home, "heron.md")
        note.write_text("# Heron\n\nThe grey heron nests behind the old mill; Ingrid saw it first.\n")
        run("notes", "add", str(note))
        ways = {
            "without memory": lambda: first_token("--no-memory", "-f", str(text)),
            "with notes": lambda: first_token("-f", str(text)),
            "import and search alone": lambda: wall("notes", "search", "heron"),
        }
        for way in ways.values():
            way()
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(arguments.runs):
            for name, way in ways.items():
                seconds[name].append(way())
    table = Table("way", "wall s, median", "least", "most")
    for name, values in seconds.items():
        table.add_row(name, f"{statistics.median(values):.2f}", f"{min(values):.2f}", f"{max(values):.2f}")
    Console().print(table)


def first_token(*flags: str) -> float:
    """Seconds from the start of the process to the first token."""
    receipt = json.loads(run("ask", "-n", "--json", "--max-tokens", "4", *flags, QUESTION))
    latency = receipt["latency"]
    return float(latency["total"] - latency["decode"])


def wall(*words: str) -> float:
    began = time.monotonic()
    run(*words)
    return time.monotonic() - began


def run(*words: str) -> str:
    command = [sys.executable, "-m", "ctxchat", *words]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout


if __name__ == "__main__":
    main()
