"""How much of what answers a question `sessions recall` brings into a budget of tokens.

Conversations and their questions are read from a folder: `conversation-NAME.jsonl` as `sessions
import` takes it, and `questions-NAME.jsonl` with an id, a category, a question, and as evidence the
ids of the messages that hold the answer. Each conversation is imported and asked by the program in
a process of its own, as a person would. A question's share is that of its evidence among what the
budget holds; shares are averaged over questions. Exits 1 where a floor is missed.

    python benchmarks/recall.py --data FOLDER [--blind]
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

BUDGETS = (512, 1024, 2048)
RANKS = (1, 5, 10)
FLOORS = {False: (81, 86, 91), True: (77, 84, 88)}
GOALS = {False: (83, 88, 92), True: (79, 86, 90)}
MEASURES = [*(f"{budget:,} tokens" for budget in BUDGETS), *(f"R@{rank}" for rank in RANKS), "MRR"]
DRAWS = 2000

Figures = list[float]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--blind", action="store_true", help="take the names of the speakers away")
    arguments = parser.parse_args()
    found, last = {}, {}
    for path in sorted(arguments.data.glob("conversation-*.jsonl")):
        name = path.stem.removeprefix("conversation-")
        questions = read_lines(path.with_name(f"questions-{name}.jsonl"))
        found[name], last[name] = measure(read_lines(path), questions, blind=arguments.blind)
    report(found, last, blind=arguments.blind)


def measure(
    messages: list[dict[str, Any]], questions: list[dict[str, Any]], *, blind: bool
) -> tuple[list[Figures], list[Figures]]:
    """Figures of each question as recalled, and as the last messages would have had it."""
    if blind:
        messages = [{key: value for key, value in m.items() if key != "name"} for m in messages]
    questions = [q for q in questions if q["evidence"]]
    with tempfile.TemporaryDirectory() as home:
        run = program(home)
        session = run(["sessions", "import", "-"], messages_as_lines(messages)).strip()
        asked = "".join(" ".join(q["question"].split()) + "\n" for q in questions)
        ranked = recalled(run, session, asked, "-k", str(len(messages)))
        packed = [recalled(run, session, asked, "--budget", str(budget)) for budget in BUDGETS]
        tokens = {hit["turn"]: hit["tokens"] for hit in ranked[0]} if ranked else {}
    newest = [m["id"] for m in reversed(messages)]
    lasts = [fitting(newest, tokens, budget) for budget in BUDGETS]
    found, last = [], []
    for number, question in enumerate(questions):
        evidence = set(question["evidence"])
        sets = [{hit["turn"] for hit in hits[number]} for hits in packed]
        found.append(figures(evidence, [hit["turn"] for hit in ranked[number]], sets))
        last.append(figures(evidence, newest, lasts))
    return found, last


def figures(evidence: set[str], ranked: list[str], packed: Iterable[set[str]]) -> Figures:
    """In percent, in the order of MEASURES."""
    sets = [*packed, *(set(ranked[:rank]) for rank in RANKS)]
    first = next((n for n, turn in enumerate(ranked, start=1) if turn in evidence), None)
    return [*(100 * len(evidence & held) / len(evidence) for held in sets), 100 / first if first else 0.0]


def fitting(turns: Iterable[str], tokens: dict[str, int], budget: int) -> set[str]:
    """The turns that a budget holds, none skipped."""
    held = set()
    for turn in turns:
        budget -= tokens.get(turn, 0)
        if budget < 0:
            break
        held.add(turn)
    return held


def recalled(run: Callable[..., str], session: str, asked: str, *flags: str) -> list[list[dict[str, Any]]]:
    """The hits of each question."""
    answered = run(["sessions", "recall", session, "-", "--json", *flags], asked)
    return [json.loads(line)["hits"] for line in answered.splitlines()]


def program(home: str) -> Callable[..., str]:
    """The program in an empty home."""
    folders = {f"XDG_{kind}_HOME": home for kind in ("CACHE", "CONFIG", "DATA", "STATE")}

    def run(words: list[str], stdin: str) -> str:
        command = [sys.executable, "-m", "ctxchat", *words]
        ended = subprocess.run(
            command, input=stdin, env={**os.environ, **folders}, stdout=subprocess.PIPE, text=True, check=True
        )
        return ended.stdout

    return run


def messages_as_lines(messages: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(message) + "\n" for message in messages)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def report(found: dict[str, list[Figures]], last: dict[str, list[Figures]], *, blind: bool) -> None:
    """Print the table, and leave with 1 where a floor is missed."""
    together = [row for rows in found.values() for row in rows]
    table = Table("", "questions", *MEASURES, title="without names" if blind else "with names")
    add(table, "the last messages", [row for rows in last.values() for row in rows])
    for name, rows in found.items():
        add(table, f"recalled, {name}", rows)
    add(table, "recalled, together", together)
    table.add_row("  95 % interval", "", *(interval(column) for column in zip(*together, strict=True)))
    table.add_row("floor", "", *map(str, FLOORS[blind]))
    table.add_row("goal", "", *map(str, GOALS[blind]))
    Console(width=140).print(table)
    means = [fmean(column) for column in zip(*together, strict=True)]
    missed = [b for b, mean, floor in zip(BUDGETS, means, FLOORS[blind], strict=False) if mean < floor]
    if missed:
        sys.exit("below the floor at " + " and ".join(f"{budget:,}" for budget in missed) + " tokens")


def add(table: Table, label: str, rows: list[Figures]) -> None:
    table.add_row(label, str(len(rows)), *(f"{fmean(column):.1f}" for column in zip(*rows, strict=True)))


def interval(column: tuple[float, ...]) -> str:
    """What 95 of 100 samples of so many questions would show."""
    draw = random.Random(0)
    means = sorted(fmean(draw.choices(column, k=len(column))) for _ in range(DRAWS))
    return f"{means[DRAWS // 40]:.1f}–{means[-DRAWS // 40]:.1f}"


if __name__ == "__main__":
    main()
