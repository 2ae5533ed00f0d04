"""What `gpu.py` runs: a model with layers offloaded, and where its processes are at home."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORKERS = Path(__file__).parent / "workers"
ALL, HALF, AUTO = "all", "half", "auto"


@dataclass(frozen=True)
class Run:
    """A model, and how many of its layers are offloaded, below zero all of them, to so many devices alike."""

    model: str
    path: Path
    offloaded: str
    layers: int
    devices: int = 1

    @property
    def name(self) -> str:
        split = f" on {self.devices}" if self.devices > 1 else ""
        return f"{self.model} {self.offloaded}{split}"

    @property
    def shares(self) -> list[float]:
        """What each device is given; none where there is one."""
        return [1.0] * self.devices if self.devices > 1 else []

    @property
    def typed(self) -> str | int:
        """What `-ngl` is given."""
        return self.layers if self.layers >= 0 else self.offloaded

    @property
    def slow(self) -> bool:
        """Whether each of its tokens is worth sparing."""
        return self.model == "big" and self.offloaded == HALF


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
        flags: dict[str, Any] = {"model.threads": 1, "model.threads_batch": 1} if self.cpu else {}
        flags |= {"model.tensor_split": run.shares} if run.shares else {}
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
        return self.of_any_model(run, *words, "-m", str(run.path))

    def of_any_model(self, run: Run, *words: str) -> list[str]:
        """A command whose model stands in `words`, or nowhere."""
        threads = ["--threads", "1", "--threads-batch", "1"] if self.cpu else []
        engine = ["-ngl", str(run.typed)]
        engine += ["-ts", ",".join(map(str, run.shares))] if run.shares else []
        return [sys.executable, "-m", "ctxchat", *words, *engine, *threads]
