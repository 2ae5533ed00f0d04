"""The wait that is foretold against the wait there was, on an idle machine and on a busy one.

Two kinds of prefill with SmolLM2 on one thread, each foretold by what was learned before it: the turns of
the scripted conversation of `conversation.py`, and prompts of random words whose sizes are spread evenly
by proportion up to the window. It begins with a calibration, as `doctor --calibrate` makes it, and goes on
learning as the program does. With `--busy` all of it runs once more, calibrated idle, beside a process that
spins; its first ten turns are the correction, and not counted. `--data` keeps every row, and `--from`
judges rows that were kept. Exits with 1 where a goal is missed.

    python benchmarks/predictions.py [--turns 200] [--prompts 40] [--busy] [--minutes 60] [--data FILE]
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from itertools import count
from math import exp, log
from pathlib import Path
from statistics import median, quantiles

from conversation import ANSWER, QUESTIONS, TOPICS
from rich.console import Console
from rich.table import Table

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Prefilled, TurnFinished
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings

WINDOW = 8192
CORRECTION = 10
GOALS = {"idle": (0.10, 0.25), "busy": (0.15, 0.35)}
LEAST, MOST = 32, WINDOW - 200
WORDS = ("amber", "birch", "cloud", "delta", "field", "grain", "harbour", "iris", "kettle", "lamp", "north")


@dataclass(frozen=True, slots=True)
class Row:
    """One prefill: `n` tokens behind `depth` cells; seconds foretold, of the clock and of the processor.
    `number` counts the turns of its machine, `began` is the time of day."""

    machine: str
    kind: str
    number: int
    n: int
    depth: int
    predicted: float | None
    actual: float
    cpu: float
    began: float

    @property
    def error(self) -> float:
        assert self.predicted is not None
        return abs(self.predicted / self.actual - 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--busy", action="store_true")
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="of each machine, half of it for each kind"
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--from", type=Path, dest="kept")
    arguments = parser.parse_args()
    rows: list[Row] = []
    if arguments.kept:
        rows = [Row(**row) for row in json.loads(arguments.kept.read_text())]
    for machine in () if arguments.kept else ("idle", "busy") if arguments.busy else ("idle",):
        for row in measured(machine, arguments.turns, arguments.prompts, arguments.minutes * 60):
            rows.append(row)
            if arguments.data:
                arguments.data.write_text(json.dumps(list(map(asdict, rows))))
    sys.exit(0 if judged(rows) else 1)


@contextmanager
def spinning() -> Iterator[None]:
    """One busy process beside us."""
    child = multiprocessing.get_context("spawn").Process(target=spin, daemon=True)
    child.start()
    try:
        yield
    finally:
        child.kill()
        child.join()


def spin() -> None:
    while True:
        pass


def measured(machine: str, turns: int, prompts: int, seconds: float) -> Iterator[Row]:
    """The conversation and then the prompts, each for half of the time at most."""
    order = random.Random(20)
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {f"XDG_{kind}_HOME": home for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
        flags = {"model.ctx_size": WINDOW, "model.threads": 1, "model.threads_batch": 1, "kv.max_disk": 0}
        settings = load_settings(flags)
        wiring.bench_service(settings).calibrate(Cancel())
        service = wiring.chat_service(settings, one_shot=False)
        numbers = count(1)
        with spinning() if machine == "busy" else nullcontext():
            for kind, most in (("turn", turns), ("prompt", prompts)):
                until = time.monotonic() + seconds / 2
                for turn in range(1, most + 1):
                    if time.monotonic() > until:
                        break
                    request = scripted(turn) if kind == "turn" else random_prompt(order)
                    row = timed(service, request, machine, kind, next(numbers))
                    if row:
                        yield row
        service.close()


def scripted(number: int) -> AskRequest:
    topic, form = TOPICS[number % len(TOPICS)], QUESTIONS[number // len(TOPICS) % len(QUESTIONS)]
    sampling = Sampling(temperature=0.7, seed=number, max_tokens=ANSWER)
    return AskRequest(form.format(topic), session="long", sampling=sampling, memory=False)


def random_prompt(order: random.Random) -> AskRequest:
    """Words, nearly a token each, as many as a size drawn evenly by its logarithm."""
    size = int(exp(order.uniform(log(LEAST), log(MOST))))
    text = " ".join(order.choices(WORDS, k=int(size * 0.8)))
    return AskRequest(text, record=False, sampling=Sampling(temperature=0.0, max_tokens=2), memory=False)


def timed(service: ChatService, request: AskRequest, machine: str, kind: str, number: int) -> Row | None:
    began, cpu, receipt = time.time(), 0.0, Receipt("", None)
    for event in service.ask(request, Cancel()):
        match event:
            case Prefilled(0, _):
                cpu = time.process_time()
            case Prefilled(done, total) if done == total:
                cpu = time.process_time() - cpu
            case TurnFinished():
                receipt = event.receipt
            case _:
                pass
    for _ in service.tidy(Cancel()):
        pass
    return row_of(receipt, machine, kind, number, cpu, began)


def row_of(receipt: Receipt, machine: str, kind: str, number: int, cpu: float, began: float) -> Row | None:
    """None, said aloud, for a turn that failed; one that waited for a compaction is as any other."""
    if receipt.error or receipt.kv is None or receipt.latency.prefill is None:
        print(f"{kind} {number}: {receipt.error and receipt.error.message}", file=sys.stderr)
        return None
    kv, foretold = receipt.kv, receipt.predicted.prefill
    return Row(machine, kind, number, kv.evaluated, kv.reused, foretold, receipt.latency.prefill, cpu, began)


def judged(rows: Sequence[Row]) -> bool:
    """Print what the errors were, of all that counts and of parts of it; whether every goal is met."""
    table = Table("machine", "prefills", "of them", "median", "90th percentile", "bias", "goal")
    met = True
    parts: tuple[tuple[str, Callable[[Row], bool]], ...] = (
        ("all turns", lambda row: row.kind == "turn"),
        ("all random prompts", lambda row: row.kind == "prompt"),
        ("fewer than 50 tokens", lambda row: row.n < 50),
        ("50 to 499", lambda row: 50 <= row.n < 500),
        ("500 and more", lambda row: row.n >= 500),
    )
    for machine, (goal_median, goal_most) in GOALS.items():
        counted = [row for row in rows if row.machine == machine and row.predicted is not None]
        counted = [row for row in counted if machine == "idle" or row.number > CORRECTION]
        for label, belongs in parts:
            errors = sorted((row for row in counted if belongs(row)), key=lambda row: row.error)
            if len(errors) < 2:
                continue
            middle, most = median(row.error for row in errors), quantiles([r.error for r in errors], n=10)[-1]
            bias = median((row.predicted or 0) / row.actual - 1 for row in errors)
            goal = ""
            if label.startswith("all"):
                goal = f"≤ {goal_median:.0%}, ≤ {goal_most:.0%}"
                met &= middle <= goal_median and most <= goal_most
            figures = (f"{middle:.1%}", f"{most:.1%}", f"{bias:+.1%}")
            table.add_row(machine, label, str(len(errors)), *figures, goal)
    Console(width=110).print(table)
    return met


if __name__ == "__main__":
    main()
