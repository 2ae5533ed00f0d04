"""llama-bench beside: the same file, batches, attention and types, at the depths of `beside`."""

import json
from typing import Any

from gpu_runs import HALF, Bench, Run

READ, DECODED = 512, 128
DEPTHS = {"big": (0, 4096, 16384, 32768), "smol": (0, 4096)}
SAME = ("-b", "2048", "-ub", "512", "-fa", "on", "-ctk", "f16", "-ctv", "f16", "-sm", "layer")
LEAST_RATIO, DEEP = 0.95, 16384


def llama_bench(bench: Bench, run: Run, limit: float) -> dict[str, Any] | None:
    """Where all layers are offloaded. Tokens are decoded behind those that `beside` read before."""
    if bench.llama_bench is None or run.offloaded == HALF:
        return None
    read, decoded, depths, same = READ, DECODED, DEPTHS[run.model], [*SAME, "-r", "3"]
    if bench.cpu:
        read, decoded, depths, same = 64, 8, (0, 128), ["-fa", "on", "-r", "1", "-t", "1"]
    layers = str(run.layers if run.layers >= 0 else 999)
    same += ["-ts", "/".join(map(str, run.shares))] if run.shares else []
    rows = []
    for sizes, ahead in ((("-p", str(read), "-n", "0"), 0), (("-p", "0", "-n", str(decoded)), read)):
        behind = ",".join(str(depth + ahead) for depth in depths)
        command = [str(bench.llama_bench), "-m", str(run.path), "-ngl", layers, *same, *sizes, "-d", behind]
        told = json.loads(bench.ended([*command, "-o", "json"], limit, "llama-bench").stdout)
        for depth, row in zip(depths, told, strict=True):
            kind = "decode" if ahead else "prefill"
            rows.append({"kind": kind, "depth": depth, "rate": row["avg_ts"], "deviation": row["stddev_ts"]})
    return {"rows": rows, "problems": []}


def compared(parts: dict[str, Any], run: str) -> None:
    """Set our own rates, of `beside`, beside llama-bench's where both were measured."""
    theirs, ours = parts.get("llama-bench", {}).get(run), parts.get("beside", {}).get(run)
    if not theirs or not ours or "rows" not in theirs or "cases" not in ours:
        return
    theirs["problems"] = []
    for row in theirs["rows"]:
        same = [case for case in ours["cases"] if case["depth"] == row["depth"]]
        if not same:
            continue
        row["ours"] = same[0][row["kind"]][0]
        row["ratio"] = row["ours"] / row["rate"]
        if row["depth"] >= DEEP and row["ratio"] < LEAST_RATIO:
            theirs["problems"].append(f"{row['kind']} {row['ratio']:.2f} at {row['depth']:,}")
