"""The report of `gpu.py`: its figures as Markdown.

    python benchmarks/gpu_report.py docs/gpu.md FIGURES.json …

puts the reports of one machine after another behind the words that the page begins with.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Figures = dict[str, Any]
MEBIBYTE = 1 << 20


def written(figures: Figures) -> str:
    machine = figures["machine"]
    devices = Counter(device.partition(",")[0] for device in machine["devices"])
    named = " and ".join(f"{count} × {name}" for name, count in devices.items()) or "no GPU"
    details = "; ".join(machine["devices"])
    lines = [f"## {named}", "", f"{details}; {machine['cores']} cores; Python {machine['python']}", ""]
    lines += table(("part", "run", "seconds", "what does not hold"), list(_states(figures["parts"])))
    for part, runs in figures["parts"].items():
        measured = {name: run for name, run in runs.items() if set(run) - {"problems", "wall"}}
        if part in SECTIONS and measured:
            header, rows = SECTIONS[part]
            lines += ["", f"### {part}", ""]
            lines += table(("run", *header), [(n, *row) for n, run in measured.items() for row in rows(run)])
    return "\n".join(lines) + "\n"


def renewed(page: str, reports: list[str]) -> str:
    """The page with other reports behind its first words."""
    words = page.partition("\n## ")[0].rstrip()
    return "\n\n".join([words, *reports]).rstrip() + "\n"


def table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> list[str]:
    shown = [[_shown(value) for value in row] for row in rows]
    return [_line(list(header)), _line(["---"] * len(header)), *map(_line, shown)]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "" if value is None else f"{value:,}" if type(value) is int else str(value)


def _states(parts: Figures) -> Iterator[tuple[object, ...]]:
    for part, runs in parts.items():
        for name, run in runs.items():
            yield part, name, run.get("wall"), "; ".join(run["problems"]) or "–"


def _ask(run: Figures) -> Iterator[tuple[object, ...]]:
    kv, took = run["kv"], run["latency"]
    yield run["finish"], kv["reused"] + kv["evaluated"], took["load"], took["first_token"], took["total"]


def _kv(run: Figures) -> Iterator[tuple[object, ...]]:
    for one in run["types"]:
        sizes = (one["formula"], one["receipt"], one["llama.cpp"], one["rounding"])
        shares = [f"{name} {layers:.4g} layers" for name, layers in one["layers"].items()]
        yield one["type"], one["cells"], *sizes, ", ".join(shares)


def _memory(run: Figures) -> Iterator[tuple[object, ...]]:
    told = run["receipt"] or {}
    sizes = [run["before"], run["with the model"], run["after"]]
    devices = [" + ".join(_mebibytes(used) for used in one) for one in sizes]
    yield (*devices, *(_mebibytes(told.get(key)) for key in ("weights", "kv", "compute", "resident")))


def _fit(run: Figures) -> Iterator[tuple[object, ...]]:
    for one in run["windows"]:
        told, seen = one["foretold"], one["seen"]
        chosen = f"{told['n_gpu_layers']} layers, {told['type_k']}/{told['type_v']}" if told else "refused"
        foretold = " + ".join(_mebibytes(device["used"]) for device in told["devices"][:-1]) if told else None
        devices = seen["receipt"]["devices"] if seen["receipt"] else []
        allocated = " + ".join(_mebibytes(device["used"]) for device in devices)
        smi = [
            with_it - before for before, with_it in zip(seen["before"], seen["with the model"], strict=True)
        ]
        free = " + ".join(_mebibytes(device["free"]) for device in told["devices"][:-1]) if told else None
        grown = " + ".join(map(_mebibytes, smi))
        failure = seen["failure"]["message"] if seen["failure"] else None
        typed = ", ".join(one["typed"].values()) or "–"
        yield one["window"], typed, chosen, free, foretold, allocated, grown, seen["decode rate"], failure


def _mebibytes(size: int | None) -> str:
    return "–" if size is None else f"{size / MEBIBYTE:,.0f} MiB"


def _beside(run: Figures) -> Iterator[tuple[object, ...]]:
    for one in run["cases"]:
        read = (*one["prefill"], _within(one, "prefill ratio", "prefill error"))
        yield one["n"], one["depth"], *read, *_decoding(one)
    yield "a whole turn", run["turn"]["depth"], "", "", "", *_decoding(run["turn"])


def _decoding(one: Figures) -> tuple[object, ...]:
    added = f"{one['overhead'] * 1e6:,.0f} ± {one['overhead error'] * 1e6:,.0f}"
    return (*one["decode"], _within(one, "decode ratio", "decode error"), added)


def _within(one: Figures, ratio: str, error: str) -> str:
    return f"{one[ratio]:.3f} ± {one[error]:.3f}"


def _llama_bench(run: Figures) -> Iterator[tuple[object, ...]]:
    keys = ("kind", "depth", "rate", "deviation", "ours", "ratio")
    for row in run["rows"]:
        yield tuple(row.get(key) for key in keys)


def _talk(run: Figures) -> Iterator[tuple[object, ...]]:
    keys = ("turns", "window", "compactions", "evaluated", "reused", "decoded", "seconds")
    yield tuple(run[key] for key in keys)


def _snapshots(run: Figures) -> Iterator[tuple[object, ...]]:
    stages, (same, whole) = run["stages"], run["same characters"]
    said = "equal" if run["equal"] else f"parts at character {same} of {whole}"
    yield (
        stages["first"]["prompt"],
        f"{run['restored']:.1%}",
        stages["with"]["first_token"],
        stages["without"]["first_token"],
        stages["chosen"]["first_token"],
        "restored" if stages["chosen"]["restored"] else "read",
        said,
    )


def _bench(run: Figures) -> Iterator[tuple[object, ...]]:
    for point in run["points"]:
        rates = (point["prefill_tokens_per_second"], point["decode_tokens_per_second"])
        yield point["n"], point["prefill"], *rates, point["save"], point["restore"]


def _predictions(run: Figures) -> Iterator[tuple[object, ...]]:
    for kind in ("prefill of turns", "prefill of random prompts", "decode"):
        one = run[kind]
        if "median" in one:
            yield kind, one["n"], *(f"{one[key]:.1%}" for key in ("median", "p90", "bias"))


def _cancelled(run: Figures) -> Iterator[tuple[object, ...]]:
    for one in run["cancelled"]:
        yield one["in"], one["at"], one["after"], one["seconds"], one["finish"]


_BESIDE = (
    "read",
    "behind",
    "ours, tok/s",
    "bare loop",
    "ratio",
    "decode, ours, tok/s",
    "bare loop",
    "ratio",
    "we add, µs a token",
)
_FIT = (
    "window",
    "types typed",
    "chosen",
    "free",
    "foretold",
    "allocated by llama.cpp's log",
    "more in use by nvidia-smi",
    "decode tok/s",
    "refused",
)
SECTIONS = {
    "ask": (("finish", "prompt", "load, s", "first token, s", "whole, s"), _ask),
    "kv": (("type", "cells", "formula, bytes", "receipt", "llama.cpp's log", "its rounding", "on"), _kv),
    "memory": (("before", "with the model", "after", "weights", "KV", "compute", "resident"), _memory),
    "beside": (_BESIDE, _beside),
    "llama-bench": (("what", "behind", "tok/s", "deviation", "ours", "ratio"), _llama_bench),
    "talk": (
        ("turns", "window", "compactions", "evaluated", "reused", "decoded", "seconds"),
        _talk,
    ),
    "snapshots": (
        (
            "first prompt",
            "restored",
            "first token with, s",
            "without, s",
            "chosen, s",
            "chose",
            "greedy answers",
        ),
        _snapshots,
    ),
    "bench": (("tokens", "prefill, s", "tok/s", "decode tok/s", "save, s", "restore, s"), _bench),
    "predictions": (("what", "n", "median error", "90th percentile", "bias"), _predictions),
    "cancelled": (("in", "tokens read", "asked after, s", "ended after, s", "finish"), _cancelled),
    "fit": (_FIT, _fit),
}

if __name__ == "__main__":
    place = Path(sys.argv[1])
    seen = [json.loads(Path(name).read_text()) for name in sys.argv[2:]]
    place.write_text(renewed(place.read_text(), [written(figures) for figures in seen]))
