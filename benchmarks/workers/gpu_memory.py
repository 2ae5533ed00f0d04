"""Memory of the devices before a model is loaded, while it has answered, and after it was closed."""

from dataclasses import asdict

from gpu_devices import used_memory

from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from offloaded import SPEC, ask, greedy, report, settings

before = used_memory()
service = wiring.chat_service(
    settings(SPEC["window"], kv__max_disk=0, **SPEC.get("typed", {})), one_shot=False
)
turn = ask(service, AskRequest("Say hello.", record=False, memory=False, sampling=greedy(8)))
during = used_memory()
service.close()
receipt, problems = turn.receipt, [] if turn.receipt.error else turn.problems
report(
    {
        "before": before,
        "with the model": during,
        "after": used_memory(),
        "receipt": asdict(receipt.memory) if receipt.memory else None,
        "cells": receipt.kv.capacity if receipt.kv else None,
        "failure": asdict(receipt.error) if receipt.error else None,
        "decode rate": receipt.latency.decode_rate,
        "problems": problems,
    }
)
