"""The part `fit` of `gpu.py`: what is foretold where windows leave less and less memory, and what is so."""

import json
import subprocess
from dataclasses import replace
from typing import Any

from gpu_runs import AUTO, HALF, Bench, Run

REFUSED = 3
"""What does not fit, and is said so."""

MOST_ERROR = 0.02
"""The share of what is allocated on a device by which a forecast may be off."""

F16 = {"kv.type_k": "f16", "kv.type_v": "f16"}
WINDOWS: list[tuple[int, dict[str, str]]] = [
    (8192, {}),
    (131072, {}),
    (524288, {}),
    (786432, {}),
    (786432, F16),
    (8388608, {}),
]
"""Windows of a model of the shape of 7B, whose cells take 128 KiB: with all layers, with smaller cells, with
cells of f16 that are typed and so with fewer layers, and one that no machine holds."""


def fit(bench: Bench, run: Run, limit: float) -> dict[str, Any] | None:
    """What `models fit` says where nothing is said of layers, and what is then allocated."""
    if run.offloaded == HALF:
        return None
    cases = WINDOWS if run.model == "big" and not bench.cpu else [(1024 if bench.cpu else 8192, {})]
    auto = replace(run, offloaded=AUTO, layers=-1)
    windows = [_case(bench, auto, limit, window, types) for window, types in cases]
    problems = [f"{one['window']:,}: {why}" for one in windows for why in one.pop("problems")]
    return {"windows": windows, "problems": problems}


def _case(bench: Bench, run: Run, limit: float, window: int, types: dict[str, str]) -> dict[str, Any]:
    foretold, refusal = _foretold(bench, run, limit, window, types)
    case: dict[str, Any] = {"window": window, "typed": types, "foretold": foretold, "refusal": refusal}
    spec = {key.replace(".", "__"): value for key, value in types.items()}
    seen = bench.told("gpu_memory", run, limit, window=window, typed=spec)
    failure = seen["failure"]
    problems = []
    if failure and failure["code"] != REFUSED:
        problems.append(failure["message"])
    if bool(failure) != (foretold is None):
        problems.append(f"foretold: {refusal or foretold['reason']}; seen: {failure or 'it answers'}")
    if foretold and seen["receipt"]:
        told = {one["name"]: one["used"] for one in foretold["devices"]}
        for device in seen["receipt"]["devices"]:
            error = told[device["name"]] / device["used"] - 1
            if abs(error) > MOST_ERROR:
                problems.append(f"{device['name']} was foretold {error:+.1%}")
    return {**case, "seen": seen, "problems": problems}


def _foretold(
    bench: Bench, run: Run, limit: float, window: int, types: dict[str, str]
) -> tuple[dict[str, Any] | None, str | None]:
    """What `models fit` prints, or why it refuses."""
    command = bench.of_any_model(run, "models", "fit", str(run.path), "--json", "--ctx-size", str(window))
    for key, flag in (("kv.type_k", "-ctk"), ("kv.type_v", "-ctv")):
        command += [flag, types[key]] if key in types else []
    try:
        told: dict[str, Any] = json.loads(bench.ended(command, limit, f"fit {run.name}").stdout)
    except subprocess.CalledProcessError as error:
        if error.returncode != REFUSED:
            raise
        return None, error.stderr.strip()
    return told, None
