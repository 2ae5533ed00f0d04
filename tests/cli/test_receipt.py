"""The JSON of a turn has the shape of the contract, to the letter."""

import json

from ctxchat.cli.receipt import receipt_json
from ctxchat.domain.conversation import Finish
from ctxchat.domain.receipt import Failure, Receipt
from tests.support.shown_turns import receipt

KEYS = [
    "answer", "reasoning", "finish", "error", "model", "session", "prompt", "filters", "kv", "memory",
    "latency", "predicted", "cost", "answer_tokens", "notes", "speculation",
]  # fmt: skip
LATENCIES = [
    "load", "retrieval", "compaction", "prefill", "first_token", "decode", "total",
    "prefill_tokens_per_second", "decode_tokens_per_second",
]  # fmt: skip


def test_a_whole_receipt_becomes_the_object_of_the_contract() -> None:
    shown = json.loads(json.dumps(receipt_json(receipt())))
    assert list(shown) == KEYS
    assert shown["prompt"] == {
        "window": 8192,
        "reserve": 1024,
        "total": 812,
        "exact": True,
        "sections": {
            "system": 30, "pins": 0, "summary": 0, "history": 0, "data": 0, "notes": 0, "question": 782,
            "template": 0,
        },
        "dropped": [{"section": "data", "id": "a", "tokens": 55, "reason": "over budget"}],
        "summarized_turns": 0,
        "verbatim_turns": 4,
        "attention_pairs": 2541840,
    }  # fmt: skip
    assert shown["kv"] == {
        "cells": 900, "capacity": 2048, "reused": 700, "evaluated": 112, "restored": 0, "bytes": 20736000,
        "bytes_per_token": 23040, "type_k": "f16", "type_v": "f16", "miss": None,
    }  # fmt: skip
    assert shown["memory"] == {"weights": 1, "kv": 2, "compute": 3, "resident": 4, "devices": []}
    assert list(shown["latency"].values()) == [0.31, 0.0, 0.0, 0.41, 0.43, 2.1, 2.9, 273.0, 41.4]
    assert list(shown["latency"]) == LATENCIES
    assert shown["predicted"] == {"prefill": None, "decode_per_token": None}
    assert (shown["filters"], shown["notes"], shown["cost"], shown["error"]) == ([], [], None, None)
    assert (shown["finish"], shown["model"]) == ("stop", {"name": "model", "path": "/m.gguf"})


def test_a_turn_that_got_nowhere_has_every_key_too() -> None:
    shown = receipt_json(Receipt("", Finish.ERROR, error=Failure(3, "no model")))
    assert list(shown) == KEYS
    assert (shown["answer"], shown["finish"], shown["error"]) == (
        "",
        "error",
        {"code": 3, "message": "no model"},
    )
    assert shown["model"] == {"name": None, "path": None}
    assert (shown["prompt"], shown["kv"], shown["memory"]) == (None, None, None)


def test_a_dry_run_has_no_answer_no_finish_and_no_actual_latencies() -> None:
    shown = receipt_json(receipt("", None))
    assert (shown["answer"], shown["finish"]) == (None, None)
    assert shown["latency"] == dict.fromkeys(LATENCIES)
    assert shown["kv"] is not None
