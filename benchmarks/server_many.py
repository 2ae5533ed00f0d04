"""Eight conversations at one server at once, each in a process and with a record of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from server_chat import Target

CONVERSATIONS, TURNS = 8, 6
WORKER = Path(__file__).parent / "workers" / "server_talk.py"
LIMIT = 600


def eight_at_once(target: Target, home: Path) -> dict[str, Any]:
    """All begin when the last of them is ready."""
    began = time.monotonic()
    workers = [_worker(target, home / str(number), number) for number in range(CONVERSATIONS)]
    for worker in workers:
        assert worker.stdout
        worker.stdout.readline()
    ready = time.monotonic()
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("\n")
        worker.stdin.flush()
    talks, problems = [], []
    for number, worker in enumerate(workers, 1):
        try:
            out, said = worker.communicate(timeout=max(1.0, LIMIT - (time.monotonic() - ready)))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.communicate()
            problems.append(f"conversation {number}: not done after {LIMIT} s")
            continue
        if worker.returncode:
            problems.append(f"conversation {number}: {' | '.join(said.strip().splitlines()[-3:])}")
            continue
        talks.append(json.loads(out.splitlines()[-1]))
    for number, rows in enumerate(talks, 1):
        problems += [f"conversation {number}: {problem}" for problem in _wrong(rows)]
    seconds = time.monotonic() - ready
    decoded = sum(row["answered"] or 0 for rows in talks for row in rows)
    told = {"ready after": ready - began, "seconds": seconds, "decoded": decoded, "rate": decoded / seconds}
    return told | {"talks": [_told(rows) for rows in talks], "problems": problems}


def _worker(target: Target, home: Path, number: int) -> "subprocess.Popen[str]":
    spec = {"url": target.url, "model": target.model, "gguf": target.gguf and str(target.gguf)}
    spec |= {"window": target.window, "number": number, "turns": TURNS, "home": str(home)}
    paths = [str(WORKER.parent.parent.parent), str(WORKER.parent.parent), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, str(WORKER), json.dumps(spec)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wrong(rows: list[dict[str, Any]]) -> list[str]:
    problems = [f"turn {row['number']}: {said}" for row in rows for said in row["problems"]]
    for row in rows:
        if row["exact"] and row["counted"] != row["prompt"]:
            problems.append(f"turn {row['number']}: {row['prompt']} sent, {row['counted']} counted")
        if not row["answered"]:
            problems.append(f"turn {row['number']}: no answer")
    return problems


def _told(rows: list[dict[str, Any]]) -> dict[str, Any]:
    firsts = [row["first_token"] for row in rows if row["first_token"] is not None]
    return {
        "turns": len(rows),
        "prompts": sum(row["prompt"] for row in rows),
        "counted": sum(row["counted"] or 0 for row in rows),
        "cached": [row["cached"] for row in rows],
        "last share": rows[-1]["share"],
        "first token, mean": sum(firsts) / len(firsts) if firsts else None,
    }
