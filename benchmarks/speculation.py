"""What drafting repeated text gains with a model on this machine: tokens a second with and without.

Greedy answers to three kinds of questions, each by whole turns in turn within one process: without
drafts, with them where they were measured to pay (`auto`), and wherever there is one (`on`). Whether the
answers are the same is told too, and beside it whether they are where nothing differs but in how large
slices the prompt is read: evaluating many tokens at once rounds otherwise than one by one.

    python benchmarks/speculation.py [MODEL] [--layers 0] [--threads 1] [--tokens 96] [--rounds 2]

With `--questions N` so many more are asked, and it is counted how many answers are the same.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Prefilled, TurnFinished
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.domain.speculation import BatchCosts, Speculated
from ctxchat.service import wiring
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import Settings

TEXT = (
    "The lighthouse keeper, Martin Oskarsson, kept a ledger with 412 entries. Each evening at seven he lit "
    "the lamp, wrote down the height of the tide, and counted the gulls on the pier. In the winter of 1911 "
    "a storm took the pier, and the gulls with it; entry 389 says only: no gulls today."
)
CODE = """def total(rows):
    result = 0
    for row in rows:
        if row.kind == "sale":
            result += row.amount
    return result


def largest(rows):
    best = None
    for row in rows:
        if best is None or row.amount > best.amount:
            best = row
    return best
"""
TASKS = {
    "copying": f"Repeat this text word for word:\n\n{TEXT}",
    "editing code": f"Rename the variable row to entry, and print all of this code:\n\n```python\n{CODE}```",
    "free talk": "Write a long story about a boat that is looking for its owner.",
}
WAYS = ("off", "auto", "on")
ABOUT = ("tides", "bread", "the moon", "bees", "trains", "chess", "rivers", "glass", "winter", "maps")
ASKING = ("What are {}? Be brief.", "List six facts about {}, one a line.", "Write a poem about {}.")


@dataclass(frozen=True)
class Took:
    """A turn: its answer, tokens of it a second of the clock and of the processor, what drafts did."""

    answer: str
    rate: float
    cpu_rate: float
    speculated: Speculated | None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?")
    parser.add_argument("--layers", default="0")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--questions", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({f"XDG_{kind}_HOME": home for kind in ("CACHE", "CONFIG", "DATA", "STATE")})
        costs, _ = wiring.bench_service(settings(arguments, "auto")).calibrate(Cancel())
        services = {way: wiring.chat_service(settings(arguments, way), one_shot=False) for way in WAYS}
        other = wiring.chat_service(settings(arguments, "off", slice_of=32), one_shot=False)
        show(arguments, services, other, f"calibrated in {costs.seconds:.1f} s")
        count(arguments, {**services, "off, slices of 32": other})
        for service in (*services.values(), other):
            service.close()


def settings(arguments: argparse.Namespace, way: str, slice_of: int | None = None) -> Settings:
    run: dict[str, object] = {
        "model.ctx_size": 2048,
        "model.n_gpu_layers": arguments.layers,
        "model.threads": arguments.threads,
        "model.threads_batch": arguments.threads,
        "model.speculation": way,
        "kv.max_disk": 0,
    }
    if arguments.model:
        run["model.path"] = arguments.model
    if slice_of:
        run["model.batch_size"] = run["model.ubatch_size"] = slice_of
    return load_settings(run)


def show(
    arguments: argparse.Namespace, services: dict[str, ChatService], other: ChatService, calibrated: str
) -> None:
    columns = ("task", "drafts", "tok/s", "tok/CPU s", "× off", "× off, CPU", "foretold", "drafted", "right")
    table = Table(*columns, "the same as off")
    for task, question in TASKS.items():
        seen: dict[str, list[Took]] = {way: [] for way in WAYS}
        for number in range(arguments.rounds + 1):
            for way, service in services.items():
                took = turn(service, question, arguments.tokens if number else 1)
                if number:
                    seen[way].append(took)
        control = turn(other, question, arguments.tokens).answer
        for way in WAYS:
            table.add_row(task if way == "off" else "", way, *row(seen, way, control))
    console = Console(width=140)
    console.print(table)
    model = services["auto"].model
    costs = model.costs.batches() if model and model.costs else None
    console.print(f"{model.facts.name if model else ''}: {calibrated}; {words(costs)}")


def count(arguments: argparse.Namespace, services: dict[str, ChatService]) -> None:
    """How many greedy answers are the same as those without drafts."""
    same: Counter[str] = Counter()
    for number in range(arguments.questions):
        question = ASKING[number % len(ASKING)].format(ABOUT[number // len(ASKING) % len(ABOUT)])
        said = {way: turn(service, question, arguments.tokens).answer for way, service in services.items()}
        same.update(way for way in said if said[way] == said["off"])
    if arguments.questions:
        print(f"of {arguments.questions} answers the same as without drafts:", dict(same))


def turn(service: ChatService, question: str, tokens: int) -> Took:
    """One turn that is not recorded; its decoding is timed from outside."""
    at: list[tuple[float, float]] = []
    sampling = Sampling(temperature=0.0, max_tokens=tokens)
    receipt = Receipt("", None)
    for event in service.ask(AskRequest(question, record=False, memory=False, sampling=sampling), Cancel()):
        if isinstance(event, TurnFinished) or (isinstance(event, Prefilled) and event.done == event.total):
            at.append((time.monotonic(), time.process_time()))
        if isinstance(event, TurnFinished):
            receipt = event.receipt
    assert receipt.error is None, receipt.error
    decoded = receipt.answer_tokens or 1
    (began, cpu), (ended, ended_cpu) = at[-2:]
    return Took(receipt.answer, decoded / (ended - began), decoded / (ended_cpu - cpu), receipt.speculation)


def row(seen: dict[str, list[Took]], way: str, control: str) -> tuple[str, ...]:
    ours, off = seen[way], seen["off"]
    ratio = median(a.rate / b.rate for a, b in zip(ours, off, strict=True))
    cpu_ratio = median(a.cpu_rate / b.cpu_rate for a, b in zip(ours, off, strict=True))
    said, first = ours[-1].speculated, off[-1].answer
    return (
        f"{median(one.rate for one in ours):.1f}",
        f"{median(one.cpu_rate for one in ours):.1f}",
        "" if way == "off" else f"{ratio:.2f}",
        "" if way == "off" else f"{cpu_ratio:.2f}",
        f"{said.gain:.2f}" if said and said.gain else "",
        str(said.drafted) if said else "",
        str(said.accepted) if said else "",
        f"slices of 32: {alike(control, first)}" if way == "off" else alike(ours[-1].answer, first),
    )


def alike(answer: str, other: str) -> str:
    if answer == other:
        return "yes"
    pairs = enumerate(zip(answer, other, strict=False))
    common = next((place for place, (a, b) in pairs if a != b), min(len(answer), len(other)))
    return f"to character {common} of {len(other)}"


def words(costs: BatchCosts | None) -> str:
    if costs is None:
        return "what batches cost is not known"
    several = ", ".join(f"{n} cost {cost:.2f}" for n, cost in costs.measured if n > 1)
    return f"tokens evaluated at once, in tokens decoded alone: {several}; at best × {costs.best:.2f}"


if __name__ == "__main__":
    main()
