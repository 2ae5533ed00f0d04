"""ctxchat where layers lie on a GPU: that it works, how fast it is beside others, and what it foretells.

Each part runs in processes of its own within a time limit, so that one that fails costs only itself. What
was measured is kept in FOLDER/figures.json after each part, joined with what lies there already, and told
in FOLDER/report.md; parts that have no time left are named on stderr.

    python benchmarks/gpu.py FOLDER --smol SMOL.gguf --big BIG.gguf [--llama-bench FILE]
                             [--only talk,beside] [--models smol,big] [--layers all,half]
                             [--devices 2] [--minutes 8] [--cpu]

`--big` is a file of a 7B shape; its weights may be random. `--devices` splits all layers evenly over so many
GPUs. `--cpu` tries all of it without a GPU, in small sizes: its figures say nothing.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gpu_devices import queried
from gpu_llama_bench import compared
from gpu_parts import PARTS
from gpu_report import written
from gpu_runs import ALL, HALF, Bench, Run

from ctxchat.engine.gguf.reading import read_header

FIGURES = "figures.json"
LEAST_SECONDS = 10.0
"""Where less is left no part is begun."""


def main() -> None:
    arguments = parsed()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    figures = kept(folder / FIGURES)
    figures["machine"] = machine()
    until = time.monotonic() + arguments.minutes * 60
    with tempfile.TemporaryDirectory() as home:
        bench = Bench(Path(home), arguments.llama_bench, cpu=arguments.cpu)
        for part in arguments.only:
            for run in runs(arguments):
                if until - time.monotonic() < LEAST_SECONDS:
                    print(f"{part} · {run.name}: no time was left", file=sys.stderr)
                    continue
                result = measured(bench, part, run, until)
                if result is not None:
                    figures["parts"].setdefault(part, {})[run.name] = result
                    compared(figures["parts"], run.name)
                    (folder / FIGURES).write_text(json.dumps(figures, indent=1))
                    (folder / "report.md").write_text(written(figures))
    print((folder / "report.md").read_text())


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--smol", type=Path)
    parser.add_argument("--big", type=Path)
    parser.add_argument("--llama-bench", type=Path)
    parser.add_argument("--only", type=names, default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--models", type=lambda text: text.split(","), default=["big", "smol"])
    parser.add_argument("--layers", type=lambda text: text.split(","), default=[ALL, HALF])
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--cpu", action="store_true")
    return parser.parse_args()


def names(text: str) -> list[str]:
    chosen = text.split(",")
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return chosen


def runs(arguments: argparse.Namespace) -> list[Run]:
    """Each model with all of its layers offloaded, and with half of them; or all of them split over GPUs."""
    every, devices = [], arguments.devices
    for name in arguments.models:
        path: Path | None = getattr(arguments, name)
        if path is None:
            continue
        layers = read_header(path).layers
        for offloaded in arguments.layers if devices == 1 else [ALL]:
            count = 0 if arguments.cpu else -1 if offloaded == ALL else layers // 2
            every.append(Run(name, path.resolve(), offloaded, count, devices))
    return every


def measured(bench: Bench, part: str, run: Run, until: float) -> dict[str, Any] | None:
    """What a part gives of a run, None where it has nothing to say of it."""
    measure, limit = PARTS[part]
    left, began = until - time.monotonic(), time.monotonic()
    try:
        result = measure(bench, run, min(limit, left))
    except subprocess.TimeoutExpired as error:
        result = {"problems": [f"stopped after {error.timeout:.0f} s"]}
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()[-6:]
        result = {"problems": [f"exit {error.returncode}: " + " | ".join(said)]}
    except (ValueError, TypeError, LookupError, OSError) as error:
        result = {"problems": [f"{type(error).__name__}: {error}"]}
    if result is None:
        return None
    result["wall"] = time.monotonic() - began
    state = "; ".join(result.get("problems", [])) or "as it should"
    print(f"{part} · {run.name}: {result['wall']:.0f} s: {state}"[:400], file=sys.stderr, flush=True)
    return result


def kept(path: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"parts": {}}
    return figures


def machine() -> dict[str, Any]:
    return {
        "devices": queried("name,memory.total,driver_version"),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
