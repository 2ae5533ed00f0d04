"""A long conversation in small windows: what is evaluated in all, against other ways to make room.

A scripted conversation with SmolLM2, answers of 32 tokens at most, once for each window. Counted are
tokens evaluated, those of summaries included. Beside them, counted by replaying the same messages:
dropping one turn at a time; and full history, as if all fitted, which is also what shifting the cells
behind a dropped turn evaluates (llama-server's `--cache-reuse`), with cells that still hold what they
read. Each is held once with recall and once without. Exits with 1 where a promise does not hold.

    python benchmarks/conversation.py [--turns 200] [--windows 1024 2048 8192]
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rich.console import Console
from rich.table import Table

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Section
from ctxchat.domain.events import Compacted, NotesFound, PromptBuilt, TurnFinished
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings

ANSWER = 32
GOALS = {1024: 0.20, 2048: 0.10, 8192: 0.04}
MORE_COMPACTIONS = 1.5
"""How many times as often may be folded where recall is on."""

TOLD = "My name is Ingrid Solheim, my locker is 4711 and my thesis lies in /home/ingrid/thesis.tex."
FACTS = ("Ingrid Solheim", "4711", "/home/ingrid/thesis.tex")
TOPICS = (
    "the sea",
    "old trains",
    "bread",
    "mountains",
    "chess",
    "gardens",
    "clocks",
    "whales",
    "maps",
    "tea",
)
QUESTIONS = (
    "Yesterday evening my sister and I could not agree on it: what do people like so much about {}?",
    "I have to give a short talk next week and would like to begin well. Tell me something about {}.",
    "If you could decide it all alone, and money were no object, what would you change about {}?",
    "My neighbour keeps saying that there is a famous story about {}. Do you know which he means?",
)


@dataclass
class Run:
    """What was seen of a conversation in one window; tokens."""

    window: int
    memory: bool
    prompts: list[Prompt] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    evaluated: int = 0
    summaries: int = 0
    recalled: int = 0
    compactions: list[int] = field(default_factory=list)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--windows", type=int, nargs="+", default=[1024, 2048, 8192])
    arguments = parser.parse_args()
    table = Table(
        "window",
        "recall",
        "compactions",
        "passages",
        "evaluated",
        "of them for summaries",
        "CPU s",
        "dropping one turn",
        "ratio",
        "goal",
        "full history, or shifting reuse",
    )
    problems: list[str] = []
    for window in arguments.windows:
        without = converse(window, arguments.turns, memory=False)
        turns, head = lengths(without)
        check_rarity(without, turns, window - ANSWER)
        dropping, full = replayed(turns, head, window - ANSWER), replayed(turns, head, None)
        ratio = without.evaluated / dropping
        goal = GOALS.get(window, 1.0)
        if len(without.compactions) > 1 and ratio > goal:
            problems.append(
                f"window {window}: {ratio:.1%} of dropping one turn at a time, more than {goal:.0%}"
            )
        table.add_row(*cells(without), f"{dropping:,}", f"{ratio:.1%}", f"≤ {goal:.0%}", f"{full:,}")
        with_recall = converse(window, arguments.turns, memory=True)
        table.add_row(*cells(with_recall))
        if len(with_recall.compactions) > MORE_COMPACTIONS * len(without.compactions):
            problems.append(
                f"window {window}: {len(with_recall.compactions)} compactions with recall, "
                f"{len(without.compactions)} without"
            )
        problems += [
            f"window {window}: {problem}" for run in (without, with_recall) for problem in run.problems
        ]
    Console(width=150).print(table)
    for problem in problems:
        print(f"does not hold: {problem}")
    sys.exit(1 if problems else 0)


def cells(run: Run) -> tuple[str, ...]:
    return (
        f"{run.window:,}",
        "on" if run.memory else "off",
        str(len(run.compactions)),
        f"{run.recalled:,}",
        f"{run.evaluated:,}",
        f"{run.summaries:,}",
        f"{run.seconds:.0f}",
    )


def converse(window: int, turns: int, *, memory: bool) -> Run:
    run = Run(window, memory)
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {f"XDG_{kind}_HOME": home for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
        flags = {"model.ctx_size": window, "model.threads": 1, "model.threads_batch": 1}
        service = wiring.chat_service(load_settings(flags), one_shot=False)
        began = time.process_time()
        for number in range(1, turns + 1):
            take_turn(run, service, number)
        run.seconds = time.process_time() - began
        check_facts(run)
        service.close()
    return run


def take_turn(run: Run, service: ChatService, number: int) -> None:
    topic, form = TOPICS[number % len(TOPICS)], QUESTIONS[number // len(TOPICS) % len(QUESTIONS)]
    question = TOLD if number == 3 else form.format(topic)
    sampling = Sampling(temperature=0.7, seed=number, max_tokens=ANSWER)
    request = AskRequest(question, resume=True, sampling=sampling, memory=run.memory)
    for event in [*service.ask(request, Cancel()), *service.tidy(Cancel())]:
        match event:
            case PromptBuilt(prompt):
                run.prompts.append(prompt)
                if prompt.total + prompt.reserve > run.window:
                    run.problems.append(f"turn {number}: {prompt.total} + {prompt.reserve}")
            case Compacted(evaluated=evaluated):
                run.compactions.append(number)
                run.summaries += evaluated
                run.evaluated += evaluated
            case NotesFound(notes):
                run.recalled += len(notes)
            case TurnFinished(receipt):
                if receipt.error:
                    run.problems.append(f"turn {number}: {receipt.error.message}")
                elif receipt.kv:
                    run.evaluated += receipt.kv.evaluated
                    run.answers.append(receipt.answer_tokens or 0)
            case _:
                pass


def check_rarity(run: Run, turns: list[tuple[int, int]], usable: int) -> None:
    """Between two compactions nine tenths of what lies between landing and trigger are spoken."""
    needed = 0.9 * (0.8 - 0.45) * usable
    for former, later in pairwise(run.compactions):
        spoken = sum(map(sum, turns[former:later]))
        if spoken < needed:
            run.problems.append(
                f"folded at {former} and {later}: only {spoken} of {needed:.0f} tokens spoken"
            )


def check_facts(run: Run) -> None:
    """What was told in turn 3 stands word for word in the summary, or is found by search."""
    summary = "".join(piece.text for piece in run.prompts[-1].pieces if piece.section == "summary")
    record = wiring.conversation_service(load_settings())
    for fact in FACTS:
        if fact in summary:
            continue
        if not any(fact in hit.text for hit in record.search(fact, 20)):
            run.problems.append(f"{fact} is neither in the summary nor found")
        elif len(run.compactions) == 3:
            run.problems.append(f"{fact} is not in the summary after three compactions")


def replayed(turns: Sequence[tuple[int, int]], head: int, usable: int | None) -> int:
    """Tokens evaluated for turns of so many tokens asked and answered, behind a head, where the
    oldest are dropped one at a time, as many as needed to stay within `usable`; with None all are
    sent, as if all fitted. Where one is dropped, all behind the head is evaluated anew."""
    evaluated, first = head, 0
    for number, (asked, _) in enumerate(turns):
        kept = first
        while usable and head + sum(map(sum, turns[first:number])) + asked > usable:
            first += 1
        evaluated += asked
        if first > kept:
            evaluated += sum(map(sum, turns[first:number]))
    return evaluated


def lengths(run: Run) -> tuple[list[tuple[int, int]], int]:
    """Tokens of each turn, asked (its scaffold included) and answered, and those before the first."""
    first, second = run.prompts[:2]
    turns: list[tuple[int, int]] = []
    scaffold = second.total - first.total - run.answers[0] - second.sections[Section.QUESTION]
    for prompt, answered in zip(run.prompts, run.answers, strict=True):
        turns.append((prompt.sections[Section.QUESTION] + scaffold, answered))
    return turns, first.total - turns[0][0]


if __name__ == "__main__":
    main()
