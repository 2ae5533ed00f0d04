"""The parts of `gpu.py`: what is run for each, and for how many seconds at the most."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpu_fit import fit

WORKERS = Path(__file__).parent / "workers"


@dataclass(frozen=True)
class Run:
    """A model, and how many of its layers are offloaded; below zero all of them."""

    model: str
    path: Path
    offloaded: str
    layers: int

    @property
    def name(self) -> str:
        return f"{self.model} {self.offloaded}"

    @property
    def typed(self) -> str | int:
        """What `-ngl` is given."""
        if self.layers >= 0:
            return self.layers
        return self.offloaded

    @property
    def slow(self) -> bool:
        """Whether each of its tokens is worth sparing."""
        return self.model == "big" and self.offloaded == "half"


@dataclass(frozen=True)
class Bench:
    """Where all of it is run: costs are kept from part to part, conversations are not."""

    home: Path
    llama_bench: Path | None
    cpu: bool

    def environment(self, place: str) -> dict[str, str]:
        folders = {f"XDG_{kind}_HOME": str(self.home / place) for kind in ("CONFIG", "DATA", "STATE")}
        paths = [str(WORKERS.parent.parent), str(WORKERS.parent), os.environ.get("PYTHONPATH", "")]
        cache = {"XDG_CACHE_HOME": str(self.home), "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        return {**os.environ, **folders, **cache, "COLUMNS": "200"}

    def told(
        self, worker: str, run: Run, limit: float, place: str | None = None, **spec: Any
    ) -> dict[str, Any]:
        """What a worker reports on the last line of stdout."""
        flags = {"model.threads": 1, "model.threads_batch": 1} if self.cpu else {}
        spec |= {"model": str(run.path), "layers": run.typed, "flags": flags}
        command = [sys.executable, str(WORKERS / f"{worker}.py"), json.dumps(spec)]
        out = self.ended(command, limit, place or f"{worker} {run.name}")
        figures: dict[str, Any] = json.loads(out.stdout.splitlines()[-1])
        return figures

    def ended(self, command: list[str], limit: float, place: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, env=self.environment(place), capture_output=True, text=True, check=True, timeout=limit
        )

    def ctxchat(self, run: Run, *words: str) -> list[str]:
        return self.plain(*words, "-m", str(run.path), "-ngl", str(run.typed))

    def plain(self, *words: str) -> list[str]:
        threads = ["--threads", "1", "--threads-batch", "1"] if self.cpu else []
        return [sys.executable, "-m", "ctxchat", *words, *threads]


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
    """A conversation reopened by a new process with its cells, and by one that reads it all again."""
    words, answer = (200, 16) if bench.cpu else (1200 if run.slow else 3000, 12 if run.slow else 64)
    stages = {}
    for stage in ("first", "with", "without"):
        stages[stage] = bench.told(
            "gpu_reopened", run, limit, f"snapshots {run.name}",
            stage=stage, window=8192, words=words, answer=answer,
        )  # fmt: skip
    problems = [problem for stage in stages.values() for problem in stage.pop("problems")]
    ours, control = stages["with"]["answer"], stages["without"]["answer"]
    same = next((place for place, (a, b) in enumerate(zip(ours, control, strict=False)) if a != b), None)
    same = min(len(ours), len(control)) if same is None else same
    share = stages["with"]["restored"] / max(stages["first"]["held"], 1)
    if share < 0.95:
        problems.append(f"{share:.0%} was restored: {stages['with']['miss']}")
    equal = ours == control
    figures = {"restored": share, "equal": equal, "same characters": [same, len(control)]}
    return {**figures, "stages": stages, "problems": problems}


def bench(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    window = 1024 if bench.cpu else 16384 if run.model == "big" and run.offloaded == "all" else 8192
    command = bench.ctxchat(run, "bench", "--json", "--quiet", "--ctx-size", str(window))
    figures = json.loads(bench.ended(command, limit, f"bench {run.name}").stdout)
    problems = [] if figures["points"] else ["nothing was measured"]
    return {**figures, "problems": problems}


def beside(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    cases, answer, rounds = [(0, 512), (0, 4096), (4096, 512)], 128, 5
    if run.model == "big":
        cases.append((16384, 512))
    if run.slow:
        cases, answer, rounds = [(0, 512), (4096, 512)], 12, 3
    if bench.cpu:
        cases, answer, rounds = [(0, 64), (128, 64)], 8, 2
    figures = bench.told("gpu_beside", run, limit, cases=cases, answer=answer, rounds=rounds)
    ratios = [(case["depth"], kind, case[kind]) for case in figures["cases"] for kind in RATIOS]
    problems = [f"{kind} {ratio:.2f} at {depth:,}" for depth, kind, ratio in ratios if ratio < LEAST_RATIO]
    if figures["turn"]["overhead"] > MOST_OVERHEAD:
        problems.append(f"a turn adds {figures['turn']['overhead'] * 1e6:.0f} µs a token")
    return {**figures, "problems": problems}


RATIOS = ("prefill ratio", "decode ratio")
LEAST_RATIO, MOST_OVERHEAD = 0.95, 150e-6


def llama_bench(bench: Bench, run: Run, limit: float) -> dict[str, Any] | None:
    """llama-bench beside, at the depths of `beside`, where all layers are offloaded."""
    if bench.llama_bench is None or run.offloaded == "half":
        return None
    depths = "0,4096,16384" if run.model == "big" else "0,4096"
    sizes = ["-p", "512", "-n", "128", "-d", depths, "-r", "3"]
    if bench.cpu:
        sizes = ["-p", "64", "-n", "8", "-d", "0", "-r", "1", "-t", "1"]
    layers = str(run.layers if run.layers >= 0 else 999)
    command = [str(bench.llama_bench), "-m", str(run.path), "-ngl", layers, "-fa", "1", "-o", "json", *sizes]
    rows = json.loads(bench.ended(command, limit, "llama-bench").stdout)
    kept = ("n_prompt", "n_gen", "n_depth", "avg_ts", "stddev_ts")
    return {"rows": [{key: row.get(key) for key in kept} for row in rows], "problems": []}


def kv(bench: Bench, run: Run, limit: float) -> dict[str, Any] | None:
    return bench.told("gpu_kv", run, limit, window=1024 if bench.cpu else 8192)


def predictions(bench: Bench, run: Run, limit: float) -> dict[str, Any]:
    turns, prompts, window, answer = (4, 3, 1024, 4) if bench.cpu else (20, 10, 8192, 6 if run.slow else 16)
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
    "ask": (ask, 60),
    "kv": (kv, 60),
    "memory": (memory, 60),
    "beside": (beside, 120),
    "llama-bench": (llama_bench, 90),
    "predictions": (predictions, 90),
    "cancelled": (cancelled, 60),
    "talk": (talk, 100),
    "snapshots": (snapshots, 60),
    "bench": (bench, 90),
    "fit": (fit, 120),
}
