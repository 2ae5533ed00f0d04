"""Bytes of the cells: by our formula, in the receipt, and in llama.cpp's own lines as it allocates them."""

import re
from pathlib import Path

from ctxchat.engine.gguf.kv_size import kv_bytes
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.llama.log import LOG
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from offloaded import SPEC, ask, greedy, report, settings

PADDING = 0.02
"""Of a layer, what buffers may hold beside its cells: ggml pads quantized rows."""

BUFFER = re.compile(r"(\w+) KV buffer size = +([\d.]+) MiB")


def by_device(lines: list[str], layer: float) -> dict[str, float]:
    """How many layers' cells lie on each device, by what llama.cpp says it takes there."""
    found = (BUFFER.search(line) for line in lines)
    return {match[1]: float(match[2]) * 2**20 / layer for match in found if match}


seen, problems = [], []
for kind in ("f16", "q8_0"):
    service = wiring.chat_service(
        settings(SPEC["window"], kv__type_k=kind, kv__type_v=kind, kv__max_disk=0), one_shot=False
    )
    turn = ask(service, AskRequest("Say hello.", record=False, memory=False, sampling=greedy(4)))
    lines = [line for _, line in LOG._lines if "size" in line and "MiB" in line]
    logged, rounding = LOG.kv_bytes()
    service.close()
    problems += turn.problems
    kv, memory = turn.receipt.kv, turn.receipt.memory
    if kv is None or memory is None:
        continue
    header = read_header(Path(SPEC["model"]))
    formula = kv_bytes(header, kv.capacity, kind, kind, flash_attention=True)
    stated = kv.capacity * kv.bytes_per_token
    if abs(formula - logged) > rounding or abs(stated - logged) > rounding:
        problems.append(f"{kind}: formula {formula}, receipt {stated}, llama.cpp {logged}")
    layers = by_device(lines, formula / header.layers)
    if any(abs(count - round(count)) > PADDING for count in layers.values()):
        problems.append(f"{kind}: no whole layers on a device: {layers}")
    seen.append(
        {
            "type": kind,
            "cells": kv.capacity,
            "formula": formula,
            "receipt": stated,
            "llama.cpp": logged,
            "rounding": rounding,
            "layers": layers,
            "compute": memory.compute,
            "lines": lines,
        }
    )
report({"types": seen, "problems": problems})
