"""What a snapshot saves, with SmolLM2: a conversation reopened by a new process, and a file asked twice.

A conversation of at least 4,000 tokens is held by `ctxchat ask`, each turn in a process of its own. Its
next turn is asked with its snapshot and, the `kv` folder moved away, without it, in turn and writing
nothing. Then it goes on for some turns, beside one process that answers all turns from the first on:
both must say the same, greedily, to the letter. Last, a file of as many tokens is asked about twice, in
two conversations. All of it with f16 and with q8_0 cells; one thread, and flash attention and the size of
a slice set by flags. Exits with 1 where a promise does not hold.

    python benchmarks/reopening.py [--tokens 4000] [--runs 3] [--types f16 q8_0]
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

WORKERS = Path(__file__).parent / "workers"
LEAST_RESTORED, MOST_WAIT = 0.95, 0.05

SCAFFOLD = 16
"""Tokens a question has around it: fences and what the chat template writes."""

QUESTIONS = ("Which place came first?", "What would you ask its keeper?", "Write a line about the harbour.")
NAMES = ("Arendal", "Bodo", "Castine", "Dunmore", "Elphin", "Fowey", "Genoa", "Hvaler", "Imatra", "Juneau")
THINGS = ("lamp", "bell", "rope", "barrel", "ledger", "anchor", "kettle", "lantern", "chart", "sail")


@dataclass
class Seen:
    """What was measured with one type of cells; seconds from the start of a process to its first token."""

    kind: str
    history: int = 0
    restored: int = 0
    with_snapshot: list[float] = field(default_factory=list)
    without: list[float] = field(default_factory=list)
    identical: bool = False
    asked_again: int = 0
    question: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--types", nargs="+", default=["f16", "q8_0"])
    arguments = parser.parse_args()
    table = Table(
        "cells", "history", "restored", "first token, s", "without, s", "ratio", "identical", "asked again"
    )
    problems: list[str] = []
    for kind in arguments.types:
        with tempfile.TemporaryDirectory() as home:
            seen = measured(kind, Path(home), arguments.tokens, arguments.runs)
        table.add_row(*cells(seen))
        problems += [f"{kind}: {problem}" for problem in broken(seen)]
    Console(width=130).print(table)
    for problem in problems:
        print(f"does not hold: {problem}")
    sys.exit(1 if problems else 0)


def measured(kind: str, home: Path, tokens: int, runs: int) -> Seen:
    os.environ |= {f"XDG_{name}_HOME": str(home) for name in ("CACHE", "CONFIG", "DATA", "STATE")}
    os.environ |= variables(kind)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    seen, told = Seen(kind), f"{prose(tokens, 1)}\nWhat is this about?"
    first = asked(told)
    seen.history = first["kv"]["cells"]
    reopen(seen, home, runs)
    answers = [first["answer"], *(asked("-c", question)["answer"] for question in QUESTIONS)]
    seen.identical = answers == unbroken(home / "unbroken", [told, *QUESTIONS])
    ask_twice(seen, home, tokens)
    return seen


def variables(kind: str) -> dict[str, str]:
    """All that could make two runs differ, fixed; quantized values need flash attention."""
    return {
        "CTXCHAT_MODEL_CTX_SIZE": "8192",
        "CTXCHAT_MODEL_THREADS": "1",
        "CTXCHAT_MODEL_THREADS_BATCH": "1",
        "CTXCHAT_MODEL_BATCH_SIZE": "128",
        "CTXCHAT_MODEL_UBATCH_SIZE": "128",
        "CTXCHAT_KV_TYPE_K": kind,
        "CTXCHAT_KV_TYPE_V": kind,
        "CTXCHAT_KV_FLASH_ATTN": "off" if kind == "f16" else "on",
        "CTXCHAT_SAMPLING_TEMPERATURE": "0",
        "CTXCHAT_SAMPLING_MAX_TOKENS": "48",
    }


def reopen(seen: Seen, home: Path, runs: int) -> None:
    """The same turn in new processes, with and without what the disk holds."""
    kept, away = home / "ctxchat" / "kv", home / "away"
    for _ in range(runs):
        receipt = asked("-c", "-n", QUESTIONS[0])
        seen.restored = receipt["kv"]["restored"]
        seen.with_snapshot.append(first_token(receipt))
        kept.rename(away)
        receipt = asked("-c", "-n", QUESTIONS[0])
        seen.without.append(first_token(receipt))
        if receipt["kv"]["restored"]:
            seen.problems.append("something was restored without a snapshot")
        if kept.exists():
            kept.rename(home / f"aside-{len(seen.without)}")
        away.rename(kept)


def unbroken(home: Path, questions: list[str]) -> list[str]:
    """The answers of one process that never stops."""
    home.mkdir()
    folders = {f"XDG_{name}_HOME": str(home) for name in ("CACHE", "CONFIG", "DATA", "STATE")}
    ended = subprocess.run(
        [sys.executable, str(WORKERS / "never_stopped.py")],
        env=os.environ | folders,
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[str] = json.loads(ended.stdout)
    return answers


def ask_twice(seen: Seen, home: Path, tokens: int) -> None:
    manual = home / "manual.md"
    manual.write_text(prose(tokens, 2))
    asked("-f", str(manual), "Which thing is named most?")
    again = asked("-f", str(manual), "Who kept the ledger?")
    seen.asked_again = again["kv"]["evaluated"]
    seen.question = again["prompt"]["sections"]["question"]
    if again["prompt"]["sections"]["data"] < 0.9 * tokens:
        seen.problems.append("the file was not sent whole")


def broken(seen: Seen) -> list[str]:
    problems = list(seen.problems)
    if seen.restored < LEAST_RESTORED * seen.history:
        problems.append(f"{seen.restored} of {seen.history} tokens were restored")
    if median(seen.with_snapshot) > MOST_WAIT * median(seen.without):
        problems.append(f"the first token took more than {MOST_WAIT:.0%} of the time without a snapshot")
    if not seen.identical:
        problems.append("the answers differ from those of a process that never stopped")
    if seen.asked_again > seen.question + SCAFFOLD:
        problems.append(f"{seen.asked_again} tokens were evaluated for a question of {seen.question}")
    return problems


def cells(seen: Seen) -> tuple[str, ...]:
    ratios = [a / b for a, b in zip(seen.with_snapshot, seen.without, strict=True)]
    return (
        seen.kind,
        f"{seen.history:,}",
        f"{seen.restored:,} ({seen.restored / seen.history:.1%})",
        f"{median(seen.with_snapshot):.2f}",
        f"{median(seen.without):.2f}",
        f"{median(ratios):.1%} ({min(ratios):.1%}–{max(ratios):.1%})",
        "yes" if seen.identical else "no",
        f"{seen.asked_again} evaluated, question {seen.question}",
    )


def first_token(receipt: dict[str, Any]) -> float:
    """Seconds from the start of the process, its imports and the load of the model included."""
    return float(receipt["latency"]["total"] - receipt["latency"]["decode"])


def asked(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "ctxchat", "ask", "--json", *words]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(ended.stderr)
    receipt: dict[str, Any] = json.loads(ended.stdout)
    return receipt


def prose(tokens: int, seed: int) -> str:
    """Sentences that say nothing, and hardly one twice: a little more than so many tokens."""
    order = random.Random(seed)
    sentences = []
    for day in range(tokens // 17):
        name, thing, other = order.choice(NAMES), order.choice(THINGS), order.choice(THINGS)
        sentences.append(f"On day {day} the keeper of {name} changed a {thing} for a {other}.")
    return " ".join(sentences)


if __name__ == "__main__":
    main()
