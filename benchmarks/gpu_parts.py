"""The parts of `gpu.py`: what is run for each, and for how many seconds at the most."""

import json
import os
from collections.abc import Callable
from typing import Any

from gpu_fit import fit
from gpu_llama_bench import llama_bench
from gpu_runs import HALF, Bench, Run

Part = Callable[[Bench, Run, float], dict[str, Any] | None]


def ask(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    command = bench.ctxchat(run, "ask", "Name three colours.", "--max-tokens", "24", "--json")
    answer = json.loads(bench.ended(command, limit, f"ask {run.name}").stdout)
    prompt, kv = answer["prompt"], answer["kv"]
    problems = [answer["error"]["message"]] if answer["error"] else []
    if sum(prompt["sections"].values()) != prompt["total"]:
        problems.append("sections do not add up to the prompt")
    if kv["reused"] + kv["evaluated"] != prompt["total"]:
        problems.append("reused and evaluated tokens are not the prompt")
    shown = {key: answer[key] for key in ("answer", "finish", "kv", "memory", "latency")}
    return {**shown, "problems": problems}


def talk(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    answer = 8 if run.slow else 24
    window, turns = (1024, 10) if bench.cpu else (2048, 20)
    return bench.told("gpu_talk", run, limit, window=window, turns=turns, words=80, answer=answer)


def snapshots(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    """A conversation reopened by a new process with its cells, by one that reads it all again, and by one
    that knows what both take and chooses."""
    words, answer = (200, 16) if bench.cpu else (1200 if run.slow else 3000, 12 if run.slow else 64)
    stages = {}
    for stage in ("first", "with", "chosen", "without"):
        stages[stage] = bench.told(
            "gpu_reopened", run, limit, f"snapshots {run.name}",
            stage=stage, window=8192, words=words, answer=answer,
        )  # fmt: skip
    problems = [problem for stage in stages.values() for problem in stage.pop("problems")]
    ours, control = stages["with"]["answer"], stages["without"]["answer"]
    same = next((place for place, (a, b) in enumerate(zip(ours, control, strict=False)) if a != b), None)
    same = min(len(ours), len(control)) if same is None else same
    share = stages["with"]["restored"] / max(stages["first"]["held"], 1)
    if stages["without"]["restored"]:
        problems.append("cells were restored that had been removed")
    slower = stages["chosen"]["first_token"] / min(stages[way]["first_token"] for way in ("with", "without"))
    if slower > MOST_OF_THE_QUICKER:
        problems.append(f"the way that was chosen took {slower:.2f} times the quicker's time")
    if share < 0.95:
        problems.append(f"{share:.0%} was restored: {stages['with']['miss']}")
    equal = ours == control
    figures = {"restored": share, "equal": equal, "same characters": [same, len(control)]}
    return {**figures, "stages": stages, "problems": problems}


def bench(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    window = 1024 if bench.cpu else 16384 if run.model == "big" and run.offloaded != HALF else 8192
    command = bench.ctxchat(run, "bench", "--json", "--quiet", "--ctx-size", str(window))
    figures = json.loads(bench.ended(command, limit, f"bench {run.name}").stdout)
    problems = [] if figures["points"] else ["nothing was measured"]
    return {**figures, "problems": problems}


def beside(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    cases, answer, rounds = [(0, 512), (0, 4096), (4096, 512)], 128, 5
    if run.model == "big":
        cases, answer = [*cases, (16384, 512), (32768, 512)], 64
    if run.slow:
        cases, answer, rounds = [(0, 512), (4096, 512)], 12, 5
    if bench.cpu:
        cases, answer, rounds = [(0, 64), (128, 64)], 8, 2
    pinned = _threads(bench, run)
    figures = bench.told("gpu_beside", run, limit, cases=cases, answer=answer, rounds=rounds, threads=pinned)
    problems = [
        f"{kind} ratio {case[kind + ' ratio']:.2f} ± {case[kind + ' error']:.2f} at {case['depth']:,}"
        for case in figures["cases"]
        for kind in ("prefill", "decode")
        if case[kind + " ratio"] < LEAST_RATIO
    ]
    turn = figures["turn"]
    if turn["overhead"] > MOST_OVERHEAD:
        added, error = (turn[key] * 1e6 for key in ("overhead", "overhead error"))
        problems.append(f"a turn adds {added:.0f} ± {error:.0f} µs a token")
    return {**figures, "problems": problems}


def _threads(bench: Bench, run: Run) -> int | None:
    """Where layers stay on the CPU half of the cores decode: threads that want all of them wait for whatever
    else runs, and one more in one of two processes says nothing of either."""
    if bench.cpu:
        return 1
    return max(1, (os.cpu_count() or 2) // 2) if run.offloaded == HALF else None


LEAST_RATIO, MOST_OVERHEAD = 0.95, 150e-6
MOST_OF_THE_QUICKER = 1.15


def kv(bench: Bench, run: Run, limit: float) -> dict[str, Any] | None:
    return bench.told("gpu_kv", run, limit, window=1024 if bench.cpu else 8192)


def predictions(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    turns, prompts, window, answer = (20, 10, 8192, 16)
    if run.slow:
        turns, prompts, window, answer = (14, 8, 4096, 6)
    if bench.cpu:
        turns, prompts, window, answer = (4, 3, 1024, 4)
    return bench.told(
        "gpu_predictions", run, limit, turns=turns, prompts=prompts, window=window, answer=answer
    )


def cancelled(bench: Bench, run: Run, limit: float) -> dict[str, Any] | None:
    if run.model != "big" and not bench.cpu:
        return None
    words, window, jitter = (1500, 4096, 0.01) if bench.cpu else (8000, 16384, 0.1)
    figures = bench.told(
        "gpu_cancelled", run, limit, words=words, window=window, jitter=jitter, rounds=2 if bench.cpu else 4
    )
    late = [one for one in figures["cancelled"] if one["seconds"] > 0.2]
    figures["problems"] += [f"{one['in']}: heard after {one['seconds']:.2f} s" for one in late]
    return figures


def memory(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    figures = bench.told("gpu_memory", run, limit, window=1024 if bench.cpu else 8192)
    if figures["failure"]:
        figures["problems"].append(figures["failure"]["message"])
    return figures


PARTS: dict[str, tuple[Part, float]] = {
    "kv": (kv, 60),
    "ask": (ask, 60),
    "beside": (beside, 120),
    "talk": (talk, 100),
    "llama-bench": (llama_bench, 90),
    "cancelled": (cancelled, 60),
    "predictions": (predictions, 90),
    "snapshots": (snapshots, 90),
    "bench": (bench, 90),
    "memory": (memory, 60),
    "fit": (fit, 120),
}
"""The most important first: what is cut short has them."""
